"""What becomes of images, by rules."""

from fleetctl.sim import behaviours


def test_the_first_rule_that_matches_counts() -> None:
    """Patterns are of images and sites; without a rule an image is ready after a second."""
    bad = behaviours.Behaviour("*:2", "pull-fails", sites="store-1*")
    every = behaviours.Behaviour(after=5)
    rules = behaviours.Behaviours((bad, every))
    assert rules.of("store-12", "registry.example/pos/app:2") is bad
    assert rules.of("store-2", "registry.example/pos/app:2") is every
    assert behaviours.Behaviours().of("s", "app:2") == behaviours.READY
