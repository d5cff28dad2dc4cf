"""The organization as the wire shows it."""

from rest_framework import serializers

from apps.tenancy.fields import Always, Instant, Serializer, TextOrNull


class OrganisationSerializer(Serializer):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = TextOrNull()
    status = serializers.CharField()
    created_at = Instant()
    last_updated_at = Instant(source="updated_at")
    object = Always("organisation")
