"""The ids of seals, a type for each kind of thing."""

from trust.kernel.ids import Id


class SealRequestId(Id):
    """An application for a seal (电子印章申请)."""

    prefix = "sealreq"


class SealId(Id):
    """A seal (电子印章): key, certificate and impression."""

    prefix = "seal"


class SealAuthorisationId(Id):
    """A standing permission to use a seal (用印授权)."""

    prefix = "sealauth"


class SealUseId(Id):
    """One act of sealing (用印)."""

    prefix = "sealuse"


class SealBatchId(Id):
    """A request of many seal uses."""

    prefix = "sealbatch"
