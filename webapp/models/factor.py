"""What shows who somebody is beside a password or a mailed code: passkeys, an authenticator app,
and the recovery codes for when they are lost."""

from peewee import BigIntegerField, ForeignKeyField, TextField

from webapp.database import BaseModel, InstantField
from webapp.models.user import User


class Passkey(BaseModel):
    """`credential_id` and `public_key` are in base64url, as the browser gave them."""

    user_id: int
    user = ForeignKeyField(User, backref="passkeys")
    credential_id = TextField(unique=True)
    public_key = TextField()
    sign_count = BigIntegerField(default=0)
    name = TextField()
    created_at = InstantField()
    last_used_at = InstantField(null=True)


class Authenticator(BaseModel):
    """An app that shows a code every thirty seconds (RFC 6238). `secret` is sealed; `last_step` is
    that of the last code that was taken, so that none is taken twice. In force once confirmed."""

    user_id: int
    user = ForeignKeyField(User, backref="+", unique=True)
    secret = TextField()
    last_step = BigIntegerField(default=0)
    created_at = InstantField()
    confirmed_at = InstantField(null=True)


class RecoveryCode(BaseModel):
    """Good once, instead of the authenticator or a passkey; hashed as passwords are."""

    user_id: int
    user = ForeignKeyField(User, backref="+")
    code_hash = TextField()
    created_at = InstantField()
    used_at = InstantField(null=True)


class SpentChallenge(BaseModel):
    """A passkey's challenge that was answered. It carries its own proof of being ours, so that
    only the answered ones need a row, until they would be too old anyway."""

    challenge_hash = TextField(unique=True)
    expires_at = InstantField()
