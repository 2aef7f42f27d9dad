"""The scripts that patients write and read in, read back out of the PDF."""

import unicodedata
from collections import Counter

import pytest

from notices.models import Notice
from notices.pdf import LetterRefused, letter_data, letter_pdf
from tests.notices.letter_parts import letter, text

FORWARD = {
    "svenska": "Blåbärsö, Åmål, Älvsjö och Öland. Éva Łódź, Żółć, Özgür Çelik",
    "samiska": "Sámegiella: čáhcesuolu, Ŋuorbbus, áššu, đoarru, ŧ",
    "finska": "Hyvä potilas, saat hoitoa aikaisemmin",
    "somaliska": "Waxaad heli kartaa daryeel degdeg ah",
    "kurmanji": "Hûn dikarin zûtir lênêrînê bistînin, şêx û çêtir",
    "vietnamesiska": "Quý vị có thể được chăm sóc sớm hơn",
    "ukrainska": "Ви можете отримати допомогу раніше: їжак, ґанок, є",
    "ryska": "Вы можете получить помощь раньше, щётка",
    "grekiska": "Μπορείτε να λάβετε φροντίδα νωρίτερα",
    "tigrinja": "ክንክን ቀልጢፍኩም ክትረክቡ ትኽእሉ ኢኹም።",
    "armeniska": "Դուք կարող եք ավելի շուտ բուժում ստանալ",
    "georgiska": "შეგიძლიათ უფრო ადრე მიიღოთ მკურნალობა",
    "thailändska": "คุณสามารถรับการดูแลได้เร็วขึ้น ที่นี่",
    "bengali": "আপনি আগে চিকিৎসা পেতে পারেন",
    "tamil": "நீங்கள் முன்னதாகவே சிகிச்சை பெறலாம்",
    "hindi": "आप पहले इलाज प्राप्त कर सकते हैं",
    "kinesiska": "您可以更早获得护理。请致电咨询。",
}
FROM_RIGHT = {
    "arabiska": "يمكنك الحصول على الرعاية في وقت أبكر",
    "persiska": "شما می‌توانید زودتر مراقبت دریافت کنید، گچ پژ",
    "sorani": "دەتوانیت زووتر چاودێری وەربگریت، ڕۆژێکی خۆش",
    "hebreiska": "אתה יכול לקבל טיפול מוקדם יותר",
}
NOT_PRINTED = "\u200b\u200c\u200d\u200e\u00ad"


def bare(words: str) -> str:
    """The signs without spaces, and without those that only steer."""
    plain = unicodedata.normalize("NFKC", words)
    return "".join(sign for sign in plain if not sign.isspace() and sign not in NOT_PRINTED)


def read_back(made: Notice) -> str:
    return bare(text(letter_pdf(made)[0]))


@pytest.mark.parametrize("words", FORWARD.values(), ids=FORWARD)
def test_text_is_read_back_as_it_was_written(words):
    assert bare(words) in read_back(letter(body=f"Text:\n\n{words}"))


@pytest.mark.parametrize("words", FROM_RIGHT.values(), ids=FROM_RIGHT)
def test_text_from_the_right_has_each_of_its_signs_once(words):
    """The order of what runs from the right is the reader's guess; which signs are there is not."""
    without = Counter(read_back(letter(body="Text:")))
    assert Counter(read_back(letter(body=f"Text:\n\n{words}"))) - without == Counter(bare(words))


@pytest.mark.parametrize("words", [*FORWARD.values(), *FROM_RIGHT.values()])
def test_a_name_in_any_of_them_can_stand_in_the_window(words):
    name = words.split()[0]
    without = Counter(read_back(letter(given_name="")))
    assert Counter(read_back(letter(given_name=name))) - without == Counter(bare(name))


def test_each_paragraph_runs_as_its_first_letter_does():
    mixed = "Hej\n\n123 مرحبا Åre\n\nÅre مرحبا\n\n24"
    ways = [part["from_right"] for part in letter_data(letter(body=mixed))["body"]]
    # What leads to the patient's own page follows, in Swedish.
    assert ways[:4] == [False, True, False, False]
    assert not any(ways[4:])


@pytest.mark.parametrize(
    "number", ["035-13 10 00", "+46 35 13 10 00", "13-26-000001-7", "2026-04-07", "08:30"]
)
def test_numbers_keep_their_order_in_text_from_the_right(number):
    page = text(letter_pdf(letter(body=f"اتصل {number} الآن", number="13-26-000002-5"))[0])
    assert bare(number) in bare(page)


@pytest.mark.parametrize("sign", ["𓀀", "😀", "ᚠ"])
def test_a_sign_that_no_font_shows_stops_the_letter_and_is_named(sign):
    with pytest.raises(LetterRefused, match=f"U\\+{ord(sign):04X}"):
        letter_pdf(letter(body=f"Hej {sign} hej"))
    with pytest.raises(LetterRefused, match="inget typsnitt"):
        letter_pdf(letter(given_name=f"Å{sign}sa"))


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\ue000"])
def test_a_sign_that_says_nothing_on_paper_stops_the_letter_and_is_named(sign):
    with pytest.raises(LetterRefused, match=f"U\\+{ord(sign):04X}"):
        letter_pdf(letter(body=f"Först {sign} sist"))


@pytest.mark.parametrize("sign", ["\ufeff", "\u202e", "\u2028", "\r", "\u00ad", "\t"])
def test_a_sign_that_only_steers_stops_nothing(sign):
    page = text(letter_pdf(letter(body=f"Först {sign} sist"))[0])
    assert "Först" in page
    assert "sist" in page
