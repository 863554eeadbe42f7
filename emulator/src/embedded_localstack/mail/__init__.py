"""SES v2 on the store of SES v1: both APIs have the same identities, templates, configuration sets and sent mails."""
