"""How often the same may happen: counted in the cache, which decides nothing about rights."""

from django.core.cache import cache
from django.utils.crypto import salted_hmac

from apps.core.clock import now


def is_too_much(what: str, *, most: int, seconds: int) -> bool:
    """Counts once more in this window of time; answers whether that is too much.

    What is counted is written into the cache as a digest: no address stands there.
    """
    window = int(now().timestamp()) // seconds
    key = salted_hmac("pace of keys", f"{what} {window}").hexdigest()
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key) > most
    except ValueError:  # it left the cache between the two
        return False


def rest(seconds: int) -> int:
    """How long the window still lasts."""
    return seconds - int(now().timestamp()) % seconds
