"""What was answered, or the problem as an error that says its code."""

from typing import TypeVar

from kalel.models import Problem

T = TypeVar("T")


def answered(answer: T | Problem | None) -> T:
    if answer is None or isinstance(answer, Problem):
        raise RuntimeError(f"{answer.code}: {answer.detail}" if answer else "no answer that the contract knows")
    return answer
