"""Makes facts from their sources, set-wise: a fact is never changed, only made anew.

The statements read with the rights of who calls: as the product.
"""

from collections.abc import Sequence

from django.db import connection, transaction

# Days are calendar days in Europe/Stockholm. The distance is capacity.distance's haversine.
_OFFERS = """
INSERT INTO statistics_offerfact (
    offer_id, case_id, region_id, serial, state, care_unit_id, provider_id, provider_region_id,
    contract_id, contract_owner_id, contract_kind, distance_km, sent_at, answered_at,
    decline_reason, lapsed_at, confirmed_at, rejected_at, rejection_reason, treated_on,
    home_wait_days, expected_wait_days, days_gained, breached, breach_avoided, amount_sek, settled)
SELECT
    o.id, c.id, c.region_id, o.serial, o.state, u.id, u.provider_id, u.region_id,
    k.id, k.owner_region_id,
    CASE WHEN k.contract_type = 'free_choice' THEN 'free_choice'
        WHEN k.owner_region_id = c.region_id THEN 'own' ELSE 'others' END,
    round(2 * 6371.0088 * asin(sqrt(
        sin(radians((u.latitude - home.latitude)::float8) / 2) ^ 2
        + cos(radians(home.latitude::float8)) * cos(radians(u.latitude::float8))
            * sin(radians((u.longitude - home.longitude)::float8) / 2) ^ 2)))::int,
    o.sent_at,
    CASE WHEN o.answer_channel <> '' THEN o.answered_at END,
    CASE WHEN o.answer_channel <> '' THEN o.decline_reason ELSE '' END,
    CASE WHEN o.state IN ('expired', 'withdrawn') THEN coalesce(w.released_at, o.due_at) END,
    f.confirmed_at, f.rejected_at, coalesce(f.rejection_reason, ''), f.treated_on,
    o.home_wait_days, o.expected_wait_days,
    o.home_wait_days - (f.treated_on - sent.day),
    CASE WHEN f.treated_on IS NOT NULL THEN c.last_day < clock.ended END,
    coalesce(f.treated_on IS NOT NULL AND c.last_day >= clock.ended
        AND sent.day + o.home_wait_days > c.last_day, false),
    w.amount_sek, w.state = 'settled'
FROM referral_case c
JOIN referral_offer o ON o.case_id = c.id
JOIN contracts_calloff w ON w.id = o.call_off_id
JOIN contracts_contractline l ON l.id = o.line_id
JOIN contracts_contract k ON k.id = l.contract_id
JOIN organisations_careunit u ON u.id = o.care_unit_id
JOIN patients_patient p ON p.id = c.patient_id
JOIN organisations_region r ON r.code = c.region_id
LEFT JOIN organisations_municipality m ON m.code = p.municipality_id
LEFT JOIN referral_referral f ON f.offer_id = o.id
CROSS JOIN LATERAL (SELECT coalesce(m.latitude, r.latitude) AS latitude,
    coalesce(m.longitude, r.longitude) AS longitude) home
CROSS JOIN LATERAL (SELECT (o.sent_at AT TIME ZONE 'Europe/Stockholm')::date AS day) sent
CROSS JOIN LATERAL (SELECT CASE WHEN c.paused_from <= c.clock_stopped_on THEN c.paused_from
    ELSE c.clock_stopped_on END AS ended) clock
WHERE c.id = ANY(%(cases)s)
"""
_CASES = """
INSERT INTO statistics_casefact (
    case_id, number, state, furthest, region_id, clinic_id, kva, mvo, municipality_id, age,
    age_group, sex, svf, phase, asa, funding, care_unit_id, provider_id, provider_region_id,
    contract_id,
    contract_owner_id, contract_kind, distance_km, referred_on, decided_on, received_at, taken_at,
    first_offer_at, answered_at, accepted_at, confirmed_at, booked_at, booked_for, treated_on,
    closed_at, close_reason, offers, accepted, declined, expired, withdrawn, rejected,
    declined_travel, declined_wants_home_clinic, declined_waits_by_choice, declined_already_treated,
    declined_other, home_wait_days, days_gained, guarantee_start, guarantee_days, last_day,
    stopped_on, paused_from, breached, breach_avoided, pause_patient_days, pause_medical_days,
    amount_sek, settled)
SELECT
    c.id, c.number, c.state, coalesce(came.furthest, CASE WHEN n.accepted > 0 THEN 'accepted'
        WHEN n.offers > 0 THEN 'offered' WHEN log.taken_at IS NOT NULL THEN 'taken'
        ELSE 'form' END), c.region_id, c.sending_unit_id, c.kva,
    coalesce(q.medical_area_id, s.medical_area_id, ''), p.municipality_id, old.years,
    CASE WHEN old.years IS NULL THEN '' WHEN old.years < 18 THEN '0-17'
        WHEN old.years < 40 THEN '18-39' WHEN old.years < 65 THEN '40-64'
        WHEN old.years < 80 THEN '65-79' ELSE '80-' END,
    p.sex, c.svf, c.phase, c.asa, coalesce(o.funding, ''), a.care_unit_id, a.provider_id,
    a.provider_region_id, a.contract_id,
    a.contract_owner_id, coalesce(a.contract_kind, ''), a.distance_km, c.referral_date,
    c.decision_date, c.received_at, log.taken_at, n.first_at, n.answered_at, a.answered_at,
    a.confirmed_at, booked.at, f.booked_for, a.treated_on, c.closed_at, c.close_reason,
    n.offers, n.accepted, n.declined, n.expired, n.withdrawn, n.rejected,
    n.travel, n.wants_home_clinic, n.waits_by_choice, n.already_treated, n.other,
    coalesce(a.home_wait_days, c.home_wait_days), a.days_gained, c.guarantee_start,
    c.guarantee_days, c.last_day, c.clock_stopped_on, c.paused_from,
    c.last_day < CASE WHEN c.paused_from <= c.clock_stopped_on THEN c.paused_from
        ELSE c.clock_stopped_on END,
    coalesce(a.breach_avoided, false), pauses.patient, pauses.medical, a.amount_sek,
    coalesce(a.settled, false)
FROM referral_case c
JOIN patients_patient p ON p.id = c.patient_id
JOIN organisations_careunit s ON s.id = c.sending_unit_id
LEFT JOIN contracts_procedure q ON q.kva = c.kva
LEFT JOIN statistics_offerfact a ON a.case_id = c.id AND a.state = 'accepted'
LEFT JOIN referral_offer o ON o.id = a.offer_id
LEFT JOIN referral_referral f ON f.offer_id = a.offer_id
CROSS JOIN LATERAL (SELECT extract(year FROM
    age((c.received_at AT TIME ZONE 'Europe/Stockholm')::date, p.birth_date))::int AS years) old
CROSS JOIN LATERAL (
    SELECT min(x.sent_at) AS first_at, max(x.answered_at) AS answered_at, count(*) AS offers,
        count(x.answered_at) FILTER (WHERE x.decline_reason = '') AS accepted,
        count(*) FILTER (WHERE x.state = 'declined') AS declined,
        count(*) FILTER (WHERE x.state = 'expired') AS expired,
        count(*) FILTER (WHERE x.state = 'withdrawn') AS withdrawn,
        count(*) FILTER (WHERE x.state = 'rejected') AS rejected,
        count(*) FILTER (WHERE x.decline_reason = 'travel') AS travel,
        count(*) FILTER (WHERE x.decline_reason = 'wants_home_clinic') AS wants_home_clinic,
        count(*) FILTER (WHERE x.decline_reason = 'waits_by_choice') AS waits_by_choice,
        count(*) FILTER (WHERE x.decline_reason = 'already_treated') AS already_treated,
        count(*) FILTER (WHERE x.decline_reason = 'other') AS other
    FROM statistics_offerfact x WHERE x.case_id = c.id) n
CROSS JOIN LATERAL (
    SELECT min(x.at) AS taken_at FROM referral_caselog x
    WHERE x.case_id = c.id AND x.verb = 'take') log
CROSS JOIN LATERAL (
    SELECT min(x.at) AS at FROM referral_caselog x
    WHERE x.case_id = c.id AND x.verb = 'book' AND x.at >= a.answered_at) booked
CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_or(y.treated_on IS NOT NULL) THEN 'treated'
        WHEN bool_or(y.booked_for IS NOT NULL) THEN 'booked'
        WHEN bool_or(y.confirmed_at IS NOT NULL) THEN 'confirmed' END AS furthest
    FROM referral_offer x JOIN referral_referral y ON y.offer_id = x.id
    WHERE x.case_id = c.id) came
CROSS JOIN LATERAL (
    SELECT coalesce(sum(y.days) FILTER (WHERE y.reason = 'patient'), 0) AS patient,
        coalesce(sum(y.days) FILTER (WHERE y.reason = 'medical'), 0) AS medical
    FROM (
        SELECT x.reason,
            greatest(0, coalesce(x.last_day, c.clock_stopped_on) - x.first_day + 1) AS days
        FROM referral_pause x WHERE x.case_id = c.id) y) pauses
WHERE c.id = ANY(%(cases)s)
"""


def make_facts(cases: Sequence[int]) -> None:
    """Make the facts of these cases anew; of one that is gone none are left.

    Two that make the same case's facts must not do it at once (statistics.facts.upkeep).
    """
    wanted = {"cases": list(cases)}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM statistics_offerfact WHERE case_id = ANY(%(cases)s)", wanted)
        cursor.execute("DELETE FROM statistics_casefact WHERE case_id = ANY(%(cases)s)", wanted)
        cursor.execute(_OFFERS, wanted)
        cursor.execute(_CASES, wanted)
