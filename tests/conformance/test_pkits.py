"""NIST's Public Key Interoperability Test Suite (PKITS 1.0.1, sections 4.1 to 4.16) judged by our path validation.

The certificates and lists come with the wheel `cryptography-vectors`. Each row of the table is a test of the
document, or one of its parts: number, what is expected, the certificates from the leaf upwards (without the anchor),
then what the test asks beyond the document's defaults. The lists are the anchor's and those of every authority on
the path that has one, unless the row names others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType

import cryptography_vectors
import pytest

from trust.crypto.policy import AlgorithmPolicy
from trust.kernel.report import Outcome
from trust.pki.path import PathResult, PolicyInputs, validate_path
from trust.pki.purposes import Purpose
from trust.pki.trust_store import TrustStore

# The certificates are valid from 2010 to 2030 and signed by RSA-2048 with SHA-256; the moment is any between.
_MOMENT = datetime(2020, 6, 1, tzinfo=UTC)
_POLICY = AlgorithmPolicy(
    version="pkits",
    digests={"sha256": None},
    keys={},
    rsa_keys=((2048, None),),
    certificate_keys={},
)
_NIST_TEST_POLICY = "2.16.840.1.101.3.2.1.48."

# Where our answer is another than the document's. It is never valid where the document says invalid; here it is
# open, or a refusal, where the document says valid.
_DEVIATIONS: Mapping[str, str] = MappingProxyType(
    {
        "4.1.4": "DSA: withdrawn by FIPS 186-5, and no scheme of ours",
        "4.1.5": "DSA: withdrawn by FIPS 186-5, with parameters inherited besides",
    }
)

_TABLE = """
# 4.1 Signature verification
4.1.1 | valid | ValidCertificatePathTest1 GoodCA
4.1.2 | invalid | InvalidCASignatureTest2 BadSignedCA
4.1.3 | invalid | InvalidEESignatureTest3 GoodCA
4.1.4 | valid | ValidDSASignaturesTest4 DSACA
4.1.5 | valid | ValidDSAParameterInheritanceTest5 DSAParametersInheritedCA DSACA
4.1.6 | invalid | InvalidDSASignatureTest6 DSACA
# 4.2 Validity periods
4.2.1 | invalid | InvalidCAnotBeforeDateTest1 BadnotBeforeDateCA
4.2.2 | invalid | InvalidEEnotBeforeDateTest2 GoodCA
4.2.3 | valid | Validpre2000UTCnotBeforeDateTest3 GoodCA
4.2.4 | valid | ValidGeneralizedTimenotBeforeDateTest4 GoodCA
4.2.5 | invalid | InvalidCAnotAfterDateTest5 BadnotAfterDateCA
4.2.6 | invalid | InvalidEEnotAfterDateTest6 GoodCA
4.2.7 | invalid | Invalidpre2000UTCEEnotAfterDateTest7 GoodCA
4.2.8 | valid | ValidGeneralizedTimenotAfterDateTest8 GoodCA
# 4.3 Verifying name chaining
4.3.1 | invalid | InvalidNameChainingTest1 GoodCA
4.3.2 | invalid | InvalidNameChainingOrderTest2 NameOrderingCA | lists NameOrderCA
4.3.3 | valid | ValidNameChainingWhitespaceTest3 GoodCA
4.3.4 | valid | ValidNameChainingWhitespaceTest4 GoodCA
4.3.5 | valid | ValidNameChainingCapitalizationTest5 GoodCA
4.3.6 | valid | ValidNameUIDsTest6 UIDCA
4.3.7 | valid | ValidRFC3280MandatoryAttributeTypesTest7 RFC3280MandatoryAttributeTypesCA
4.3.8 | valid | ValidRFC3280OptionalAttributeTypesTest8 RFC3280OptionalAttributeTypesCA
4.3.9 | valid | ValidUTF8StringEncodedNamesTest9 UTF8StringEncodedNamesCA
4.3.10 | valid | ValidRolloverfromPrintableStringtoUTF8StringTest10
    RolloverfromPrintableStringtoUTF8StringCA
4.3.11 | valid | ValidUTF8StringCaseInsensitiveMatchTest11 UTF8StringCaseInsensitiveMatchCA
# 4.4 Basic certificate revocation tests
4.4.1 | invalid | InvalidMissingCRLTest1 NoCRLCA
4.4.2 | invalid | InvalidRevokedCATest2 RevokedsubCA GoodCA
4.4.3 | invalid | InvalidRevokedEETest3 GoodCA
4.4.4 | invalid | InvalidBadCRLSignatureTest4 BadCRLSignatureCA
4.4.5 | invalid | InvalidBadCRLIssuerNameTest5 BadCRLIssuerNameCA
4.4.6 | invalid | InvalidWrongCRLTest6 WrongCRLCA
4.4.7 | valid | ValidTwoCRLsTest7 TwoCRLsCA | lists TwoCRLsCAGood TwoCRLsCABad
4.4.8 | invalid | InvalidUnknownCRLEntryExtensionTest8 UnknownCRLEntryExtensionCA
4.4.9 | invalid | InvalidUnknownCRLExtensionTest9 UnknownCRLExtensionCA
4.4.10 | invalid | InvalidUnknownCRLExtensionTest10 UnknownCRLExtensionCA
4.4.11 | invalid | InvalidOldCRLnextUpdateTest11 OldCRLnextUpdateCA
4.4.12 | invalid | Invalidpre2000CRLnextUpdateTest12 pre2000CRLnextUpdateCA
4.4.13 | valid | ValidGeneralizedTimeCRLnextUpdateTest13 GeneralizedTimeCRLnextUpdateCA
4.4.14 | valid | ValidNegativeSerialNumberTest14 NegativeSerialNumberCA
4.4.15 | invalid | InvalidNegativeSerialNumberTest15 NegativeSerialNumberCA
4.4.16 | valid | ValidLongSerialNumberTest16 LongSerialNumberCA
4.4.17 | valid | ValidLongSerialNumberTest17 LongSerialNumberCA
4.4.18 | invalid | InvalidLongSerialNumberTest18 LongSerialNumberCA
4.4.19 | valid | ValidSeparateCertificateandCRLKeysTest19 SeparateCertificateandCRLKeysCRLSigning
    SeparateCertificateandCRLKeysCertificateSigningCA | lists SeparateCertificateandCRLKeys
4.4.20 | invalid | InvalidSeparateCertificateandCRLKeysTest20 SeparateCertificateandCRLKeysCRLSigning
    SeparateCertificateandCRLKeysCertificateSigningCA | lists SeparateCertificateandCRLKeys
4.4.21 | invalid | InvalidSeparateCertificateandCRLKeysTest21 SeparateCertificateandCRLKeysCA2CRLSigning
    SeparateCertificateandCRLKeysCA2CertificateSigningCA | lists SeparateCertificateandCRLKeysCA2
# 4.5 Verifying paths with self-issued certificates
4.5.1 | valid | ValidBasicSelfIssuedOldWithNewTest1 BasicSelfIssuedNewKeyOldWithNewCA
    BasicSelfIssuedNewKeyCA
4.5.2 | invalid | InvalidBasicSelfIssuedOldWithNewTest2 BasicSelfIssuedNewKeyOldWithNewCA
    BasicSelfIssuedNewKeyCA
4.5.3 | valid | ValidBasicSelfIssuedNewWithOldTest3 BasicSelfIssuedOldKeyNewWithOldCA
    BasicSelfIssuedOldKeyCA | lists BasicSelfIssuedOldKeySelfIssuedCert BasicSelfIssuedOldKeyCA
4.5.4 | valid | ValidBasicSelfIssuedNewWithOldTest4 BasicSelfIssuedOldKeyNewWithOldCA
    BasicSelfIssuedOldKeyCA | lists BasicSelfIssuedOldKeySelfIssuedCert BasicSelfIssuedOldKeyCA
4.5.5 | invalid | InvalidBasicSelfIssuedNewWithOldTest5 BasicSelfIssuedOldKeyNewWithOldCA
    BasicSelfIssuedOldKeyCA | lists BasicSelfIssuedOldKeySelfIssuedCert BasicSelfIssuedOldKeyCA
4.5.6 | valid | ValidBasicSelfIssuedCRLSigningKeyTest6 BasicSelfIssuedCRLSigningKeyCRL
    BasicSelfIssuedCRLSigningKeyCA | lists BasicSelfIssuedCRLSigningKeyCRLCert
    BasicSelfIssuedCRLSigningKeyCA
4.5.7 | invalid | InvalidBasicSelfIssuedCRLSigningKeyTest7 BasicSelfIssuedCRLSigningKeyCRL
    BasicSelfIssuedCRLSigningKeyCA | lists BasicSelfIssuedCRLSigningKeyCRLCert
    BasicSelfIssuedCRLSigningKeyCA
4.5.8 | invalid | InvalidBasicSelfIssuedCRLSigningKeyTest8 BasicSelfIssuedCRLSigningKeyCRL
    BasicSelfIssuedCRLSigningKeyCA | lists BasicSelfIssuedCRLSigningKeyCRLCert
    BasicSelfIssuedCRLSigningKeyCA
# 4.6 Verifying basic constraints
4.6.1 | invalid | InvalidMissingbasicConstraintsTest1 MissingbasicConstraintsCA
4.6.2 | invalid | InvalidcAFalseTest2 basicConstraintsCriticalcAFalseCA
4.6.3 | invalid | InvalidcAFalseTest3 basicConstraintsNotCriticalcAFalseCA
4.6.4 | valid | ValidbasicConstraintsNotCriticalTest4 basicConstraintsNotCriticalCA
4.6.5 | invalid | InvalidpathLenConstraintTest5 pathLenConstraint0subCA pathLenConstraint0CA
4.6.6 | invalid | InvalidpathLenConstraintTest6 pathLenConstraint0subCA pathLenConstraint0CA
4.6.7 | valid | ValidpathLenConstraintTest7 pathLenConstraint0CA
4.6.8 | valid | ValidpathLenConstraintTest8 pathLenConstraint0CA
4.6.9 | invalid | InvalidpathLenConstraintTest9 pathLenConstraint6subsubCA00 pathLenConstraint6subCA0
    pathLenConstraint6CA
4.6.10 | invalid | InvalidpathLenConstraintTest10 pathLenConstraint6subsubCA00 pathLenConstraint6subCA0
    pathLenConstraint6CA
4.6.11 | invalid | InvalidpathLenConstraintTest11 pathLenConstraint6subsubsubCA11X
    pathLenConstraint6subsubCA11 pathLenConstraint6subCA1 pathLenConstraint6CA
4.6.12 | invalid | InvalidpathLenConstraintTest12 pathLenConstraint6subsubsubCA11X
    pathLenConstraint6subsubCA11 pathLenConstraint6subCA1 pathLenConstraint6CA
4.6.13 | valid | ValidpathLenConstraintTest13 pathLenConstraint6subsubsubCA41X pathLenConstraint6subsubCA41
    pathLenConstraint6subCA4 pathLenConstraint6CA
4.6.14 | valid | ValidpathLenConstraintTest14 pathLenConstraint6subsubsubCA41X pathLenConstraint6subsubCA41
    pathLenConstraint6subCA4 pathLenConstraint6CA
4.6.15 | valid | ValidSelfIssuedpathLenConstraintTest15 pathLenConstraint0SelfIssuedCA pathLenConstraint0CA
4.6.16 | invalid | InvalidSelfIssuedpathLenConstraintTest16 pathLenConstraint0subCA2
    pathLenConstraint0SelfIssuedCA pathLenConstraint0CA
4.6.17 | valid | ValidSelfIssuedpathLenConstraintTest17 pathLenConstraint1SelfIssuedsubCA
    pathLenConstraint1subCA pathLenConstraint1SelfIssuedCA pathLenConstraint1CA
# 4.7 Key usage
4.7.1 | invalid | InvalidkeyUsageCriticalkeyCertSignFalseTest1 keyUsageCriticalkeyCertSignFalseCA
4.7.2 | invalid | InvalidkeyUsageNotCriticalkeyCertSignFalseTest2 keyUsageNotCriticalkeyCertSignFalseCA
4.7.3 | valid | ValidkeyUsageNotCriticalTest3 keyUsageNotCriticalCA
4.7.4 | invalid | InvalidkeyUsageCriticalcRLSignFalseTest4 keyUsageCriticalcRLSignFalseCA
4.7.5 | invalid | InvalidkeyUsageNotCriticalcRLSignFalseTest5 keyUsageNotCriticalcRLSignFalseCA
# 4.8 Certificate policies
4.8.1.1 | valid | ValidCertificatePathTest1 GoodCA | explicit
4.8.1.2 | valid | ValidCertificatePathTest1 GoodCA | policies 1 | explicit
4.8.1.3 | invalid | ValidCertificatePathTest1 GoodCA | policies 2 | explicit
4.8.1.4 | valid | ValidCertificatePathTest1 GoodCA | policies 1 2 | explicit
4.8.2.1 | valid | AllCertificatesNoPoliciesTest2 NoPoliciesCA
4.8.2.2 | invalid | AllCertificatesNoPoliciesTest2 NoPoliciesCA | explicit
4.8.3.1 | valid | DifferentPoliciesTest3 PoliciesP2subCA GoodCA
4.8.3.2 | invalid | DifferentPoliciesTest3 PoliciesP2subCA GoodCA | explicit
4.8.3.3 | invalid | DifferentPoliciesTest3 PoliciesP2subCA GoodCA | policies 1 2 | explicit
4.8.4 | invalid | DifferentPoliciesTest4 GoodsubCA GoodCA
4.8.5 | invalid | DifferentPoliciesTest5 PoliciesP2subCA2 GoodCA
4.8.6.1 | valid | OverlappingPoliciesTest6 PoliciesP1234subsubCAP123P12 PoliciesP1234subCAP123
    PoliciesP1234CA
4.8.6.2 | valid | OverlappingPoliciesTest6 PoliciesP1234subsubCAP123P12 PoliciesP1234subCAP123
    PoliciesP1234CA | policies 1
4.8.6.3 | invalid | OverlappingPoliciesTest6 PoliciesP1234subsubCAP123P12 PoliciesP1234subCAP123
    PoliciesP1234CA | policies 2
4.8.7 | invalid | DifferentPoliciesTest7 PoliciesP123subsubCAP12P1 PoliciesP123subCAP12 PoliciesP123CA
4.8.8 | invalid | DifferentPoliciesTest8 PoliciesP12subsubCAP1P2 PoliciesP12subCAP1 PoliciesP12CA
4.8.9 | invalid | DifferentPoliciesTest9 PoliciesP123subsubsubCAP12P2P1 PoliciesP123subsubCAP12P2
    PoliciesP123subCAP12 PoliciesP123CA | lists PoliciesP123CA PoliciesP123subCAP12 PoliciesP123subsubCAP2P2
    PoliciesP123subsubsubCAP12P2P1
4.8.10.1 | valid | AllCertificatesSamePoliciesTest10 PoliciesP12CA
4.8.10.2 | valid | AllCertificatesSamePoliciesTest10 PoliciesP12CA | policies 1
4.8.10.3 | valid | AllCertificatesSamePoliciesTest10 PoliciesP12CA | policies 2
4.8.11.1 | valid | AllCertificatesanyPolicyTest11 anyPolicyCA
4.8.11.2 | valid | AllCertificatesanyPolicyTest11 anyPolicyCA | policies 1
4.8.12 | invalid | DifferentPoliciesTest12 PoliciesP3CA
4.8.13.1 | valid | AllCertificatesSamePoliciesTest13 PoliciesP123CA | policies 1
4.8.13.2 | valid | AllCertificatesSamePoliciesTest13 PoliciesP123CA | policies 2
4.8.13.3 | valid | AllCertificatesSamePoliciesTest13 PoliciesP123CA | policies 3
4.8.14.1 | valid | AnyPolicyTest14 anyPolicyCA | policies 1
4.8.14.2 | invalid | AnyPolicyTest14 anyPolicyCA | policies 2
4.8.15 | valid | UserNoticeQualifierTest15
4.8.16 | valid | UserNoticeQualifierTest16 GoodCA
4.8.17 | valid | UserNoticeQualifierTest17 GoodCA
4.8.18.1 | valid | UserNoticeQualifierTest18 PoliciesP12CA | policies 1
4.8.18.2 | valid | UserNoticeQualifierTest18 PoliciesP12CA | policies 2
4.8.19 | valid | UserNoticeQualifierTest19
4.8.20 | valid | CPSPointerQualifierTest20 GoodCA | policies 1 | explicit
# 4.9 Require explicit policy
4.9.1 | valid | ValidrequireExplicitPolicyTest1 requireExplicitPolicy10subsubsubCA
    requireExplicitPolicy10subsubCA requireExplicitPolicy10subCA requireExplicitPolicy10CA
4.9.2 | valid | ValidrequireExplicitPolicyTest2 requireExplicitPolicy5subsubsubCA
    requireExplicitPolicy5subsubCA requireExplicitPolicy5subCA requireExplicitPolicy5CA
4.9.3 | invalid | InvalidrequireExplicitPolicyTest3 requireExplicitPolicy4subsubsubCA
    requireExplicitPolicy4subsubCA requireExplicitPolicy4subCA requireExplicitPolicy4CA
4.9.4 | valid | ValidrequireExplicitPolicyTest4 requireExplicitPolicy0subsubsubCA
    requireExplicitPolicy0subsubCA requireExplicitPolicy0subCA requireExplicitPolicy0CA
4.9.5 | invalid | InvalidrequireExplicitPolicyTest5 requireExplicitPolicy7subsubsubCARE2RE4
    requireExplicitPolicy7subsubCARE2RE4 requireExplicitPolicy7subCARE2 requireExplicitPolicy7CA
4.9.6 | valid | ValidSelfIssuedrequireExplicitPolicyTest6 requireExplicitPolicy2SelfIssuedCA
    requireExplicitPolicy2CA
4.9.7 | invalid | InvalidSelfIssuedrequireExplicitPolicyTest7 requireExplicitPolicy2subCA
    requireExplicitPolicy2SelfIssuedCA requireExplicitPolicy2CA
4.9.8 | invalid | InvalidSelfIssuedrequireExplicitPolicyTest8 requireExplicitPolicy2SelfIssuedsubCA
    requireExplicitPolicy2subCA requireExplicitPolicy2SelfIssuedCA requireExplicitPolicy2CA
# 4.10 Policy mappings
4.10.1.1 | valid | ValidPolicyMappingTest1 Mapping1to2CA | policies 1
4.10.1.2 | invalid | ValidPolicyMappingTest1 Mapping1to2CA | policies 2
4.10.1.3 | invalid | ValidPolicyMappingTest1 Mapping1to2CA | no-mapping
4.10.2.1 | invalid | InvalidPolicyMappingTest2 Mapping1to2CA
4.10.2.2 | invalid | InvalidPolicyMappingTest2 Mapping1to2CA | no-mapping
4.10.3.1 | invalid | ValidPolicyMappingTest3 P12Mapping1to3subsubCA P12Mapping1to3subCA P12Mapping1to3CA |
    policies 1
4.10.3.2 | valid | ValidPolicyMappingTest3 P12Mapping1to3subsubCA P12Mapping1to3subCA P12Mapping1to3CA |
    policies 2
4.10.4 | invalid | InvalidPolicyMappingTest4 P12Mapping1to3subsubCA P12Mapping1to3subCA P12Mapping1to3CA
4.10.5.1 | valid | ValidPolicyMappingTest5 P1Mapping1to234subCA P1Mapping1to234CA | policies 1
4.10.5.2 | invalid | ValidPolicyMappingTest5 P1Mapping1to234subCA P1Mapping1to234CA | policies 6
4.10.6.1 | valid | ValidPolicyMappingTest6 P1Mapping1to234subCA P1Mapping1to234CA | policies 1
4.10.6.2 | invalid | ValidPolicyMappingTest6 P1Mapping1to234subCA P1Mapping1to234CA | policies 6
4.10.7 | invalid | InvalidMappingFromanyPolicyTest7 MappingFromanyPolicyCA
4.10.8 | invalid | InvalidMappingToanyPolicyTest8 MappingToanyPolicyCA
4.10.9 | valid | ValidPolicyMappingTest9 PanyPolicyMapping1to2CA
4.10.10 | invalid | InvalidPolicyMappingTest10 GoodsubCAPanyPolicyMapping1to2CA GoodCA
4.10.11 | valid | ValidPolicyMappingTest11 GoodsubCAPanyPolicyMapping1to2CA GoodCA
4.10.12.1 | valid | ValidPolicyMappingTest12 P12Mapping1to3CA | policies 1
4.10.12.2 | valid | ValidPolicyMappingTest12 P12Mapping1to3CA | policies 2
4.10.13.1 | valid | ValidPolicyMappingTest13 P1anyPolicyMapping1to2CA
4.10.13.2 | valid | ValidPolicyMappingTest13 P1anyPolicyMapping1to2CA | policies 1 2
4.10.13.3 | invalid | ValidPolicyMappingTest13 P1anyPolicyMapping1to2CA | policies 2
4.10.14 | valid | ValidPolicyMappingTest14 P1anyPolicyMapping1to2CA
# 4.11 Inhibit policy mapping
4.11.1 | invalid | InvalidinhibitPolicyMappingTest1 inhibitPolicyMapping0subCA inhibitPolicyMapping0CA
4.11.2 | valid | ValidinhibitPolicyMappingTest2 inhibitPolicyMapping1P12subCA inhibitPolicyMapping1P12CA
4.11.3 | invalid | InvalidinhibitPolicyMappingTest3 inhibitPolicyMapping1P12subsubCA
    inhibitPolicyMapping1P12subCA inhibitPolicyMapping1P12CA
4.11.4 | valid | ValidinhibitPolicyMappingTest4 inhibitPolicyMapping1P12subsubCA
    inhibitPolicyMapping1P12subCA inhibitPolicyMapping1P12CA
4.11.5 | invalid | InvalidinhibitPolicyMappingTest5 inhibitPolicyMapping5subsubsubCA
    inhibitPolicyMapping5subsubCA inhibitPolicyMapping5subCA inhibitPolicyMapping5CA
4.11.6 | invalid | InvalidinhibitPolicyMappingTest6 inhibitPolicyMapping1P12subsubCAIPM5
    inhibitPolicyMapping1P12subCAIPM5 inhibitPolicyMapping1P12CA
4.11.7 | valid | ValidSelfIssuedinhibitPolicyMappingTest7 inhibitPolicyMapping1P1subCA
    inhibitPolicyMapping1P1SelfIssuedCA inhibitPolicyMapping1P1CA
4.11.8 | invalid | InvalidSelfIssuedinhibitPolicyMappingTest8 inhibitPolicyMapping1P1subsubCA
    inhibitPolicyMapping1P1subCA inhibitPolicyMapping1P1SelfIssuedCA inhibitPolicyMapping1P1CA
4.11.9 | invalid | InvalidSelfIssuedinhibitPolicyMappingTest9 inhibitPolicyMapping1P1subsubCA
    inhibitPolicyMapping1P1subCA inhibitPolicyMapping1P1SelfIssuedCA inhibitPolicyMapping1P1CA
4.11.10 | invalid | InvalidSelfIssuedinhibitPolicyMappingTest10 inhibitPolicyMapping1P1SelfIssuedsubCA
    inhibitPolicyMapping1P1subCA inhibitPolicyMapping1P1SelfIssuedCA inhibitPolicyMapping1P1CA
4.11.11 | invalid | InvalidSelfIssuedinhibitPolicyMappingTest11 inhibitPolicyMapping1P1SelfIssuedsubCA
    inhibitPolicyMapping1P1subCA inhibitPolicyMapping1P1SelfIssuedCA inhibitPolicyMapping1P1CA
# 4.12 Inhibit any policy
4.12.1 | invalid | InvalidinhibitAnyPolicyTest1 inhibitAnyPolicy0CA
4.12.2 | valid | ValidinhibitAnyPolicyTest2 inhibitAnyPolicy0CA
4.12.3.1 | valid | inhibitAnyPolicyTest3 inhibitAnyPolicy1subCA1 inhibitAnyPolicy1CA
4.12.3.2 | invalid | inhibitAnyPolicyTest3 inhibitAnyPolicy1subCA1 inhibitAnyPolicy1CA | no-any
4.12.4 | invalid | InvalidinhibitAnyPolicyTest4 inhibitAnyPolicy1subCA1 inhibitAnyPolicy1CA
4.12.5 | invalid | InvalidinhibitAnyPolicyTest5 inhibitAnyPolicy5subsubCA inhibitAnyPolicy5subCA
    inhibitAnyPolicy5CA
4.12.6 | invalid | InvalidinhibitAnyPolicyTest6 inhibitAnyPolicy1subCAIAP5 inhibitAnyPolicy1CA
4.12.7 | valid | ValidSelfIssuedinhibitAnyPolicyTest7 inhibitAnyPolicy1subCA2 inhibitAnyPolicy1SelfIssuedCA
    inhibitAnyPolicy1CA
4.12.8 | invalid | InvalidSelfIssuedinhibitAnyPolicyTest8 inhibitAnyPolicy1subsubCA2 inhibitAnyPolicy1subCA2
    inhibitAnyPolicy1SelfIssuedCA inhibitAnyPolicy1CA
4.12.9 | valid | ValidSelfIssuedinhibitAnyPolicyTest9 inhibitAnyPolicy1SelfIssuedsubCA2
    inhibitAnyPolicy1subCA2 inhibitAnyPolicy1SelfIssuedCA inhibitAnyPolicy1CA
4.12.10 | invalid | InvalidSelfIssuedinhibitAnyPolicyTest10 inhibitAnyPolicy1subCA2
    inhibitAnyPolicy1SelfIssuedCA inhibitAnyPolicy1CA
# 4.13 Name constraints
4.13.1 | valid | ValidDNnameConstraintsTest1 nameConstraintsDN1CA
4.13.2 | invalid | InvalidDNnameConstraintsTest2 nameConstraintsDN1CA
4.13.3 | invalid | InvalidDNnameConstraintsTest3 nameConstraintsDN1CA
4.13.4 | valid | ValidDNnameConstraintsTest4 nameConstraintsDN1CA
4.13.5 | valid | ValidDNnameConstraintsTest5 nameConstraintsDN2CA
4.13.6 | valid | ValidDNnameConstraintsTest6 nameConstraintsDN3CA
4.13.7 | invalid | InvalidDNnameConstraintsTest7 nameConstraintsDN3CA
4.13.8 | invalid | InvalidDNnameConstraintsTest8 nameConstraintsDN4CA
4.13.9 | invalid | InvalidDNnameConstraintsTest9 nameConstraintsDN4CA
4.13.10 | invalid | InvalidDNnameConstraintsTest10 nameConstraintsDN5CA
4.13.11 | valid | ValidDNnameConstraintsTest11 nameConstraintsDN5CA
4.13.12 | invalid | InvalidDNnameConstraintsTest12 nameConstraintsDN1subCA1 nameConstraintsDN1CA
4.13.13 | invalid | InvalidDNnameConstraintsTest13 nameConstraintsDN1subCA2 nameConstraintsDN1CA
4.13.14 | valid | ValidDNnameConstraintsTest14 nameConstraintsDN1subCA2 nameConstraintsDN1CA
4.13.15 | invalid | InvalidDNnameConstraintsTest15 nameConstraintsDN3subCA1 nameConstraintsDN3CA
4.13.16 | invalid | InvalidDNnameConstraintsTest16 nameConstraintsDN3subCA1 nameConstraintsDN3CA
4.13.17 | invalid | InvalidDNnameConstraintsTest17 nameConstraintsDN3subCA2 nameConstraintsDN3CA
4.13.18 | valid | ValidDNnameConstraintsTest18 nameConstraintsDN3subCA2 nameConstraintsDN3CA
4.13.19 | valid | ValidDNnameConstraintsTest19 nameConstraintsDN1SelfIssuedCA nameConstraintsDN1CA
4.13.20 | invalid | InvalidDNnameConstraintsTest20 nameConstraintsDN1CA
4.13.21 | valid | ValidRFC822nameConstraintsTest21 nameConstraintsRFC822CA1
4.13.22 | invalid | InvalidRFC822nameConstraintsTest22 nameConstraintsRFC822CA1
4.13.23 | valid | ValidRFC822nameConstraintsTest23 nameConstraintsRFC822CA2
4.13.24 | invalid | InvalidRFC822nameConstraintsTest24 nameConstraintsRFC822CA2
4.13.25 | valid | ValidRFC822nameConstraintsTest25 nameConstraintsRFC822CA3
4.13.26 | invalid | InvalidRFC822nameConstraintsTest26 nameConstraintsRFC822CA3
4.13.27 | valid | ValidDNandRFC822nameConstraintsTest27 nameConstraintsDN1subCA3 nameConstraintsDN1CA
4.13.28 | invalid | InvalidDNandRFC822nameConstraintsTest28 nameConstraintsDN1subCA3 nameConstraintsDN1CA
4.13.29 | invalid | InvalidDNandRFC822nameConstraintsTest29 nameConstraintsDN1subCA3 nameConstraintsDN1CA
4.13.30 | valid | ValidDNSnameConstraintsTest30 nameConstraintsDNS1CA
4.13.31 | invalid | InvalidDNSnameConstraintsTest31 nameConstraintsDNS1CA
4.13.32 | valid | ValidDNSnameConstraintsTest32 nameConstraintsDNS2CA
4.13.33 | invalid | InvalidDNSnameConstraintsTest33 nameConstraintsDNS2CA
4.13.34 | valid | ValidURInameConstraintsTest34 nameConstraintsURI1CA
4.13.35 | invalid | InvalidURInameConstraintsTest35 nameConstraintsURI1CA
4.13.36 | valid | ValidURInameConstraintsTest36 nameConstraintsURI2CA
4.13.37 | invalid | InvalidURInameConstraintsTest37 nameConstraintsURI2CA
4.13.38 | invalid | InvalidDNSnameConstraintsTest38 nameConstraintsDNS1CA
# 4.14 Distribution points
4.14.1 | valid | ValiddistributionPointTest1 distributionPoint1CA
4.14.2 | invalid | InvaliddistributionPointTest2 distributionPoint1CA
4.14.3 | invalid | InvaliddistributionPointTest3 distributionPoint1CA
4.14.4 | valid | ValiddistributionPointTest4 distributionPoint1CA
4.14.5 | valid | ValiddistributionPointTest5 distributionPoint2CA
4.14.6 | invalid | InvaliddistributionPointTest6 distributionPoint2CA
4.14.7 | valid | ValiddistributionPointTest7 distributionPoint2CA
4.14.8 | invalid | InvaliddistributionPointTest8 distributionPoint2CA
4.14.9 | invalid | InvaliddistributionPointTest9 distributionPoint2CA
4.14.10 | valid | ValidNoissuingDistributionPointTest10 NoissuingDistributionPointCA
4.14.11 | invalid | InvalidonlyContainsUserCertsTest11 onlyContainsUserCertsCA
4.14.12 | invalid | InvalidonlyContainsCACertsTest12 onlyContainsCACertsCA
4.14.13 | valid | ValidonlyContainsCACertsTest13 onlyContainsCACertsCA
4.14.14 | invalid | InvalidonlyContainsAttributeCertsTest14 onlyContainsAttributeCertsCA
4.14.15 | invalid | InvalidonlySomeReasonsTest15 onlySomeReasonsCA1 | lists onlySomeReasonsCA1compromise
    onlySomeReasonsCA1otherreasons
4.14.16 | invalid | InvalidonlySomeReasonsTest16 onlySomeReasonsCA1 | lists onlySomeReasonsCA1compromise
    onlySomeReasonsCA1otherreasons
4.14.17 | invalid | InvalidonlySomeReasonsTest17 onlySomeReasonsCA2 | lists onlySomeReasonsCA2CRL1
    onlySomeReasonsCA2CRL2
4.14.18 | valid | ValidonlySomeReasonsTest18 onlySomeReasonsCA3 | lists onlySomeReasonsCA3compromise
    onlySomeReasonsCA3otherreasons
4.14.19 | valid | ValidonlySomeReasonsTest19 onlySomeReasonsCA4 | lists onlySomeReasonsCA4compromise
    onlySomeReasonsCA4otherreasons
4.14.20 | invalid | InvalidonlySomeReasonsTest20 onlySomeReasonsCA4 | lists onlySomeReasonsCA4compromise
    onlySomeReasonsCA4otherreasons
4.14.21 | invalid | InvalidonlySomeReasonsTest21 onlySomeReasonsCA4 | lists onlySomeReasonsCA4compromise
    onlySomeReasonsCA4otherreasons
4.14.22 | valid | ValidIDPwithindirectCRLTest22 indirectCRLCA1
4.14.23 | invalid | InvalidIDPwithindirectCRLTest23 indirectCRLCA1
4.14.24 | valid | ValidIDPwithindirectCRLTest24 indirectCRLCA1 indirectCRLCA2
4.14.25 | valid | ValidIDPwithindirectCRLTest25 indirectCRLCA1 indirectCRLCA2
4.14.26 | invalid | InvalidIDPwithindirectCRLTest26 indirectCRLCA1 indirectCRLCA2
4.14.27 | invalid | InvalidcRLIssuerTest27 GoodCA indirectCRLCA2
4.14.28 | valid | ValidcRLIssuerTest28 indirectCRLCA3cRLIssuer indirectCRLCA3
4.14.29 | valid | ValidcRLIssuerTest29 indirectCRLCA3cRLIssuer indirectCRLCA3
4.14.30 | valid | ValidcRLIssuerTest30 indirectCRLCA4cRLIssuer indirectCRLCA4
4.14.31 | invalid | InvalidcRLIssuerTest31 indirectCRLCA6 indirectCRLCA5
4.14.32 | invalid | InvalidcRLIssuerTest32 indirectCRLCA6 indirectCRLCA5
4.14.33 | valid | ValidcRLIssuerTest33 indirectCRLCA6 indirectCRLCA5
4.14.34 | invalid | InvalidcRLIssuerTest34 indirectCRLCA5
4.14.35 | invalid | InvalidcRLIssuerTest35 indirectCRLCA5
# 4.15 Delta CRLs
4.15.1 | invalid | InvaliddeltaCRLIndicatorNoBaseTest1 deltaCRLIndicatorNoBaseCA
4.15.2 | valid | ValiddeltaCRLTest2 deltaCRLCA1 | lists deltaCRLCA1 deltaCRLCA1delta
4.15.3 | invalid | InvaliddeltaCRLTest3 deltaCRLCA1 | lists deltaCRLCA1 deltaCRLCA1delta
4.15.4 | invalid | InvaliddeltaCRLTest4 deltaCRLCA1 | lists deltaCRLCA1 deltaCRLCA1delta
4.15.5 | valid | ValiddeltaCRLTest5 deltaCRLCA1 | lists deltaCRLCA1 deltaCRLCA1delta
4.15.6 | invalid | InvaliddeltaCRLTest6 deltaCRLCA1 | lists deltaCRLCA1 deltaCRLCA1delta
4.15.7 | valid | ValiddeltaCRLTest7 deltaCRLCA1 | lists deltaCRLCA1 deltaCRLCA1delta
4.15.8 | valid | ValiddeltaCRLTest8 deltaCRLCA2 | lists deltaCRLCA2 deltaCRLCA2delta
4.15.9 | invalid | InvaliddeltaCRLTest9 deltaCRLCA2 | lists deltaCRLCA2 deltaCRLCA2delta
4.15.10 | invalid | InvaliddeltaCRLTest10 deltaCRLCA3 | lists deltaCRLCA3 deltaCRLCA3delta
# 4.16 Private certificate extensions
4.16.1 | valid | ValidUnknownNotCriticalCertificateExtensionTest1
4.16.2 | invalid | InvalidUnknownCriticalCertificateExtensionTest2
"""


@dataclass(frozen=True, kw_only=True)
class _Row:
    """One test: files without their suffixes, and the inputs of RFC 5280 §6.1.1."""

    number: str
    is_valid: bool
    path: tuple[str, ...]
    lists: tuple[str, ...] | None
    asked: PolicyInputs


def _rows() -> Iterator[_Row]:
    joined = _TABLE.replace("\n    ", " ")
    for text in joined.strip().splitlines():
        if not text.startswith("#"):
            number, expected, path, *asked = (part.strip() for part in text.split("|"))
            words = {word: rest.split() for word, _, rest in (each.partition(" ") for each in asked)}
            policies = words.get("policies")
            yield _Row(
                number=number,
                is_valid={"valid": True, "invalid": False}[expected],
                path=tuple(path.split()),
                lists=tuple(words["lists"]) if "lists" in words else None,
                asked=PolicyInputs(
                    acceptable=PolicyInputs().acceptable
                    if policies is None
                    else frozenset(_NIST_TEST_POLICY + each for each in policies),
                    require_explicit="explicit" in words,
                    inhibit_mapping="no-mapping" in words,
                    inhibit_any="no-any" in words,
                ),
            )


_ROWS = tuple(_rows())


@cache
def _octets(folder: str, *names: str) -> bytes | None:
    """The first of these files that is there."""
    for name in names:
        try:
            with cryptography_vectors.open_vector_file(f"x509/PKITS_data/{folder}/{name}", "rb") as file:
                return bytes(file.read())
        except FileNotFoundError:
            continue
    return None


def _certificate(name: str) -> bytes:
    found = _octets("certs", f"{name}EE.crt", f"{name}Cert.crt", f"{name}.crt")
    assert found is not None, name
    return found


def _list(name: str) -> bytes | None:
    return _octets("crls", f"{name}CRL.crl", f"{name}.crl")


def _validate(row: _Row) -> PathResult:
    named = row.path[1:] if row.lists is None else row.lists
    lists = [_list(name) for name in ("TrustAnchorRoot", *named)]
    assert row.lists is None or None not in lists, row.number
    return validate_path(
        _certificate(row.path[0]),
        intermediates=[_certificate(name) for name in row.path[1:]],
        trust=TrustStore(anchors=(_certificate("TrustAnchorRootCertificate"),)),
        at=_MOMENT,
        purpose=Purpose.DOCUMENT_SIGNING,
        extra_crls=[each for each in lists if each is not None],
        policy=_POLICY,
        asked=row.asked,
    )


@pytest.mark.parametrize("row", [pytest.param(row, id=row.number) for row in _ROWS])
def test_a_path_of_the_suite_is_judged_as_the_document_says(row: _Row) -> None:
    result = _validate(row)
    troubles = [f"{each.code}: {each.detail}" for each in result.checks if each.outcome is not Outcome.PASSED]
    if row.number in _DEVIATIONS:
        assert row.is_valid
        assert not result.passed
    else:
        assert result.passed is row.is_valid, troubles


def test_the_table_is_whole() -> None:
    """Sections by the number of their tests; a test of several parts counts once."""
    tests = {".".join(row.number.split(".")[:3]) for row in _ROWS}
    counts = [sum(each.startswith(f"4.{section}.") for each in tests) for section in range(1, 17)]
    assert counts == [6, 8, 11, 21, 8, 17, 5, 20, 8, 14, 11, 10, 38, 35, 10, 2]
    assert len(tests) == sum(counts) == 224
