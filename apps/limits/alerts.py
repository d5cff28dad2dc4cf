"""What others are told about budgets, inside the transaction in which it happened.

Each is sent once in a period, with the `budget` as it is now; a receiver that raises undoes the call's settlement. A
reset, a raised limit or a raised threshold arms it again (contract rule 62).

The budget is locked meanwhile, and a receiver may lock more, such as the head of the log. So whoever agrees or resets
does it before writing a line of their own, and settles what is nested each in a transaction of its own: a budget is
always locked before the head, by everybody.
"""

from typing import Final

from django.dispatch import Signal

on_threshold: Final = Signal()
on_exhausted: Final = Signal()
