"""What people ask of the matrix in their own words: "who can publish prompts?"."""

import re
from typing import Final

from apps.access.actions import Action
from apps.core.search import folded
from apps.tenancy.wording import in_words, thing

SHOWN: Final = 8
LONGEST: Final = 120
# Words that questions are made of, in the languages of the pages, and other words for what things are called here.
_IDLE: Final = frozenset(
    ["who", "can", "may", "is", "allowed", "to", "a", "an", "the", "in", "here", "wer", "kann", "darf", "hier"]
)
_SYNONYMS: Final = {
    "people": "members",
    "users": "members",
    "tokens": "keys",
    "token": "keys",
    "key": "keys",
    "edit": "change",
    "modify": "change",
    "view": "see",
    "read": "see",
    "add": "create",
    "make": "create",
    "project": "workspaces",
    "projects": "workspaces",
    "llms": "models",
}


def actions_asked_for(question: str) -> list[Action]:
    """The acts these words may mean, the likeliest first."""
    words = [word for word in re.split(r"[^\w]+", folded(question[:LONGEST]).replace("_", " ")) if word]
    words = [word for word in words if word not in _IDLE]
    if not words:
        return []
    found = [(action, _score(words, action)) for action in Action]
    best = max(score for _, score in found)
    # The whole question is answered before a part of it.
    meant = [(score, action) for action, score in found if score and score >= min(best, len(words))]
    return [action for _, action in sorted(meant, key=lambda pair: (-pair[0], len(str(in_words(pair[1])))))][:SHOWN]


def _score(words: list[str], action: Action) -> float:
    """How many of the words are about this act; a word that is meant exactly counts a little more."""
    spoken = _words(f"{in_words(action)} {thing(action.resource)}") | _words(action.value.replace(".", " "))
    return sum(max(_fit(word, spoken), _fit(_SYNONYMS.get(word, word), spoken)) for word in words)


def _fit(word: str, spoken: set[str]) -> float:
    if word in spoken or f"{word}s" in spoken:
        return 1.01
    return 1.0 if any(heard.startswith(word) for heard in spoken) else 0.0


def _words(text: str) -> set[str]:
    return set(re.split(r"[\W_]+", folded(text)))
