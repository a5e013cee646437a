"""The target prices of a stage, as the colony finds them.

Between company and bureau there is one seller and one buyer: the target is the middle of what
both may bid [X].  Against the users both sell, and their prices are searched by the ants: the
elastic game's regret is to be least, or a weighted sum of the three objectives largest.
(Paper 002, II.C; Fabric counterpart: none.)
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gridloom.chaincode.energy.learning.flows import dispatch
from gridloom.chaincode.energy.learning.parties import Game, Terms
from gridloom.chaincode.energy.learning.stages import Asked, Forecast

from ..ants.colony import Colony, Floats, Objective, maximise
from .elastic import ElasticGame
from .vertex import Weights, coefficients

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """Prices in whole micro-yuan; regret: yuan left to gain, None for a weighted sum; error:
    the colony's distance from the exact equilibrium, yuan per kWh, where one exists."""

    prices: Asked
    regret: float | None
    error: float | None
    share: float


@dataclass(frozen=True, slots=True)
class PriceSearch:
    """How target prices are searched; weights: None for the elastic game."""

    terms: Terms
    game: Game
    weights: Weights | None = None
    colony: Colony = field(default_factory=Colony)

    def find(self, forecast: Forecast, rng: np.random.Generator) -> Found:
        """The targets for a forecast."""
        flows = dispatch(forecast.generation, forecast.load, forecast.demand, forecast.bureau)
        middle = self._middle() if flows.gc or flows.cg else None
        game = elastic_game(self.terms, self.game, forecast, middle if flows.gc else None)
        box = (game.company_box, game.bureau_box)
        search = maximise(self._objective(game, flows.gu, flows.cu), box, rng, self.colony)
        company, bureau = (round(price * _MICRO) for price in search.place)
        prices = Asked(
            gu=company if flows.gu else None,
            gc=middle if flows.gc else None,
            cu=bureau if flows.cu else None,
            cg=middle if flows.cg else None,
        )
        share = flows.gu / forecast.demand if forecast.demand else 0.0
        if self.weights is not None:
            return Found(prices, None, None, share)
        error = None
        if game.well_posed and flows.gu and flows.cu:
            exact = game.equilibrium()
            error = max(abs(own - best) for own, best in zip(search.place, exact[:2], strict=True))
        return Found(prices, -search.value, error, share)

    def _objective(self, game: ElasticGame, gu: int, cu: int) -> Objective:
        if self.weights is None:
            return lambda places: -game.regret(places[:, 0], places[:, 1])
        factors = coefficients(self.weights)
        worth = (factors[0] * gu / 1_000, factors[2] * cu / 1_000)

        def weighted(places: Floats) -> Floats:
            subsidised = places[:, 1] - game.subsidy * places[:, 1] ** 2
            return np.asarray(worth[0] * places[:, 0] + worth[1] * subsidised)

        return weighted

    def _middle(self) -> int:
        company, bureau = self.terms.company.bounds, self.terms.bureau.bounds
        return (max(company.low, bureau.low) + min(company.high, bureau.high)) // 2


def elastic_game(terms: Terms, game: Game, forecast: Forecast, gc: int | None) -> ElasticGame:
    """The ledger's game in yuan and kWh; gc: the target of company to bureau, if any flows."""
    company, bureau = terms.company.bounds, terms.bureau.bounds
    return ElasticGame(
        elasticity=game.elasticity / _MICRO,
        demand=forecast.demand / 1_000,
        supply=max(forecast.generation - forecast.load, 0) / 1_000,
        feed_in=(bureau.low if gc is None else gc) / _MICRO,
        cost=game.cost / _MICRO,
        subsidy=terms.subsidy / _MICRO,
        company_box=(company.low / _MICRO, company.high / _MICRO),
        bureau_box=(bureau.low / _MICRO, bureau.high / _MICRO),
    )
