"""Implement SES v2 on the store of SES v1, so that both share identities, templates and sent mails."""
