"""The classification scheme of an agency: one fonds (全宗), classes below it (类别)."""
