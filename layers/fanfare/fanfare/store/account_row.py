"""Rows of the Accounts table: users, claims, sessions, groups and scopes."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from fanfare.store.row import Row

USER = "user"
"""Sort key of a user's own row."""


class AccountRow(Row):
    """`app#userID`, `user`; `app#userID`, `session#id`; `app#KIND:address`, `claim`."""

    class Meta:
        table_name = None
        setting = "accounts_table"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    user = UnicodeAttribute(null=True)
    """For a claim: the ID of the address's user."""
    login_name = UnicodeAttribute(null=True)
    email = UnicodeAttribute(null=True)
    phone = UnicodeAttribute(null=True)
    password_hash = UnicodeAttribute(null=True)
    display_name = UnicodeAttribute(null=True)
    country = UnicodeAttribute(null=True)
    locale = UnicodeAttribute(null=True)
    custom = UnicodeAttribute(null=True)
    created_at = NumberAttribute(null=True)
    modified_at = NumberAttribute(null=True)
    ref = UnicodeAttribute(null=True)
    """For a group, and for a user's membership in it: see groups.py."""
    name = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    access = UnicodeAttribute(null=True)
    """For a scope: its access list, if it was ever changed. See scopes.py."""
    mark = UnicodeAttribute(null=True)
    pseudo_session = UnicodeAttribute(null=True)
    pending_email = UnicodeAttribute(null=True)
    pending_phone = UnicodeAttribute(null=True)
    refresh_hash = UnicodeAttribute(null=True)
    """For a session, like the attributes that follow."""
    used = BooleanAttribute(null=True)
    again = BooleanAttribute(null=True)
    """For a recheck: see rechecks.py."""
    expires = NumberAttribute(null=True)
