"""Where an SMS may come from a name, as known in November 2026 from what Twilio, AWS and others publish. It changes: a
country that stands here wrongly is a warning too many, one that lacks is told by the provider (21612, 30007).
"""

AMERICAN = frozenset({"US", "PR", "GU", "VI", "AS", "MP"})
"""The USA, whose carriers want local numbers registered (A2P 10DLC)."""
NO_NAMES = AMERICAN | {
    *("CA", "AR", "BR", "CL", "CN", "CO", "CR", "DO", "EC", "HU", "KR", "MX", "MY", "UY", "VE", "ZA"),
}
"""Countries whose carriers take no SMS from a name."""
NAMES_REGISTERED = frozenset(
    {
        *("AE", "AM", "AU", "BD", "BY", "EG", "GB", "ID", "IE", "IN", "JO", "KW", "KZ", "LK", "NG"),
        *("OM", "PH", "PK", "QA", "RU", "SA", "SG", "TH", "TR", "TZ", "UA", "UG", "VN"),
    }
)
"""Countries in which a name must be registered, or it is dropped or replaced."""
TOLL_FREE = ("+1800", "+1833", "+1844", "+1855", "+1866", "+1877", "+1888")
"""Numbers of North America that are verified, not registered."""
