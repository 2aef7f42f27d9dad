"""First come, first served: what the best allocation is held against."""

from decimal import Decimal

from capacity.allocation.problem import Placed, Problem, Way


class _Room:
    """What is left of each limit while places are given out one by one."""

    def __init__(self, problem: Problem) -> None:
        self._prices = problem.prices
        self._places = [limit.places for limit in problem.limits]
        self._sek = [limit.sek for limit in problem.limits]
        self._of_line: dict[int, list[int]] = {}
        for number, limit in enumerate(problem.limits):
            for line in limit.lines:
                self._of_line.setdefault(line, []).append(number)

    def take(self, line: int) -> bool:
        """Take one place on the line if every limit allows it."""
        price = self._prices[line]
        limits = self._of_line.get(line, [])
        if not all(self._fits(limit, price) for limit in limits):
            return False
        for limit in limits:
            places, sek = self._places[limit], self._sek[limit]
            self._places[limit] = None if places is None else places - 1
            self._sek[limit] = None if sek is None else sek - price
        return True

    def _fits(self, limit: int, price: Decimal) -> bool:
        places, sek = self._places[limit], self._sek[limit]
        return (places is None or places >= 1) and (sek is None or sek >= price)


def first_come(problem: Problem) -> Placed:
    """Each in turn, by the day of decision, gets the best line that still has room.

    The best is the one with the shortest wait, then the lowest price, then the shortest way.
    """
    room = _Room(problem)
    placed: Placed = {}
    for one in problem.in_order():
        for way in sorted(one.shorter(), key=lambda way: preference(problem, way)):
            if room.take(way.line):
                placed[one.number] = way
                break
    return placed


def preference(problem: Problem, way: Way) -> tuple[int, Decimal, int, int]:
    return way.wait_days, problem.prices[way.line], way.distance_km, way.line
