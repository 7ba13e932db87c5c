"""Names that people, shops and pictures have, and that careless rules refuse."""

NAMES = (
    "山田\N{IDEOGRAPHIC SPACE}太郎",
    "نگار\N{ZERO WIDTH NON-JOINER}نژاد",
    "ශ්\N{ZERO WIDTH JOINER}රීමතී",
    "അവന്\N{ZERO WIDTH JOINER}",  # the joiner at its end makes the last letter
    "Jean\N{NO-BREAK SPACE}Luc",
    "Asha \U0001fae9",  # of Unicode 16, which Python 3.11 does not know
    "\N{MAN}\N{ZERO WIDTH JOINER}\N{EMOJI COMPONENT RED HAIR}",
    "דוד\N{RIGHT-TO-LEFT MARK}",
    "O'Brien-Ó Súilleabháin, 3rd",
    "\ue000",  # of somebody's own alphabet
)
