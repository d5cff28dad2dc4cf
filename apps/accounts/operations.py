"""What can happen to the person's account itself."""

from allauth.account.models import EmailAddress

from apps.accounts.models import User


def has_verified_address(user: User) -> bool:
    """Whether somebody has proved that they read this person's mailbox."""
    return EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()


def prove_address(user: User) -> None:
    """Notes that the mailbox was read: a letter sent there came back with its token (product P14)."""
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
