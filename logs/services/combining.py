"""Threads that ask the same thing at the same moment, and one of them asks for all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Combiner(Generic[Question, Answer]):
    """
    Whoever asks first is answered by a call of its own; those who ask meanwhile wait, and are
    answered by the next call together. So it costs nothing where nobody else asks.

    :param answer_all: answers several questions at once, in their order
    """

    def __init__(self, answer_all: Callable[[Sequence[Question]], Sequence[Answer]]) -> None:
        self._answer_all = answer_all
        self._lock = threading.Lock()
        self._waiting: list[_Asked[Question, Answer]] = []
        self._is_led = False

    def ask(self, question: Question) -> Answer:
        """The answer; raises what the call for it raised, in all threads it was made for."""
        asked: _Asked[Question, Answer] = _Asked(question)
        with self._lock:
            self._waiting.append(asked)
            leads, self._is_led = not self._is_led, True
        if not leads:
            asked.woken.acquire()
        if not asked.is_done:
            self._lead(asked)
        if asked.error is not None:
            raise asked.error
        return asked.answers[0]

    def _lead(self, leader: _Asked[Question, Answer]) -> None:
        """Ask for all who wait, then let somebody lead who came meanwhile."""
        with self._lock:
            together, self._waiting = self._waiting, []
        try:
            self._answer(together)
        finally:
            with self._lock:
                following = self._waiting[0] if self._waiting else None
                self._is_led = following is not None
            for asked in together:
                asked.is_done = True
                asked.woken.release()
            if following:
                following.woken.release()

    def _answer(self, together: list[_Asked[Question, Answer]]) -> None:
        try:
            answers = self._answer_all([asked.question for asked in together])
        except BaseException as error:
            for asked in together:
                asked.error = error
            raise
        for asked, answer in zip(together, answers, strict=True):
            asked.answers.append(answer)


class _Asked(Generic[Question, Answer]):
    """One question, and what its thread waits for."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.answers: list[Answer] = []
        self.error: BaseException | None = None
        self.is_done = False
        self.woken = threading.Lock()
        self.woken.acquire()
