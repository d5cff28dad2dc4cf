"""By what members are sorted and found: their account's name and address, kept beside the membership."""

from collections.abc import Collection
from typing import Any, Final

from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver

from apps.accounts.models import User
from apps.core import search
from apps.memberships.models import OrganizationMembership

_SHOWN: Final = {"first_name", "last_name", "email"}


@receiver(pre_save, sender=OrganizationMembership)
def _sort(instance: OrganizationMembership, **kwargs: Any) -> None:
    if instance._state.adding:
        instance.name_key, instance.address_key = _keys(instance.user)


@receiver(post_save, sender=OrganizationMembership)
def _list(instance: OrganizationMembership, created: bool, **kwargs: Any) -> None:
    if created:
        search.note(instance, *_texts(instance.user))


@receiver(post_save, sender=User)
def _follow(instance: User, created: bool, update_fields: Collection[str] | None = None, **kwargs: Any) -> None:
    """A person is called otherwise, or has another address: so they are in every list they are in."""
    if created or (update_fields is not None and not _SHOWN & set(update_fields)):
        return
    theirs = OrganizationMembership.objects.of(instance.pk)
    name_key, address_key = _keys(instance)
    for membership in theirs.exclude(name_key=name_key, address_key=address_key):
        theirs.filter(pk=membership.pk).update(name_key=name_key, address_key=address_key)
        search.note(membership, *_texts(instance))


def _keys(user: Any) -> tuple[str, str]:
    return search.sort_key(str(user)), search.sort_key(user.email)


def _texts(user: Any) -> tuple[str, str]:
    return user.get_full_name(), user.email
