"""The person: one row a sign-in, named by its e-mail address."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models

from apps.accounts.addresses import normalized
from apps.core.clock import now
from apps.core.models import new_id


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=normalized(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Makes an operator of the installation; reached only from the createsuperuser command.

        Whoever can run commands here has nothing to prove about the address.
        """
        user = self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})
        addresses: Any = user.emailaddress_set  # type: ignore[attr-defined]  # allauth's, which ships no types
        addresses.create(email=user.email, verified=True, primary=True)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=normalized(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who can sign in. The row is never deleted; closing an account blanks it (product 5.2)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    email = models.EmailField(
        "e-mail address", unique=True, error_messages={"unique": "There is an account with this address."}
    )
    first_name = models.CharField(max_length=150, blank=True)
    last_name = models.CharField(max_length=150, blank=True)
    language = models.CharField(max_length=10, blank=True)
    timezone = models.CharField(max_length=50, blank=True)
    # What somebody has chosen to see: {"columns of members": ["role", …]}.
    preferences = models.JSONField(default=dict, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.get_full_name() or self.email

    def clean(self) -> None:
        self.email = normalized(self.email)

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def get_short_name(self) -> str:
        return self.first_name or self.email
