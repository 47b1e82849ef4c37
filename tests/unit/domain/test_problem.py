"""A problem as people read it."""

from tocsin.domain.problem import Problem, ProblemLevel


def test_a_problem_reads_as_its_place_and_its_words() -> None:
    """File, line and column first, as editors know them."""
    problem = Problem("config/people.yaml", 3, 7, ProblemLevel.WARNING, "no-phone", "bo has no phone")
    assert str(problem) == "config/people.yaml:3:7: warning: bo has no phone"
