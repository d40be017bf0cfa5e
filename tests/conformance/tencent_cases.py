"""Tencent Cloud SSL, by its own client."""

import base64
import io
import json
import zipfile
from pathlib import Path

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.ssl.v20191205 import models, ssl_client

from harness import Pace, case, equal, holds, pem, until
from shapes import check_tencent

CSR = Path(__file__).with_name("acme.csr").read_text()
PENDING, ISSUED, UNDER_REVIEW, CANCELLED, REVOKED = 5, 1, 0, 7, 10
PACE = Pace(per_second=10)


class Client(ssl_client.SslClient):
    """The vendor's client, which also checks the shape of what it got."""

    def call(self, action, params, options=None, headers=None):
        body = super().call(action, params, options=options, headers=headers)
        self.answer = json.loads(body)["Response"]
        check_tencent(self.answer, getattr(models, f"{action}Response"))
        return body


def client(clouds, **changes):
    served = clouds.tencent
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=served["url"].split("//")[1]))
    profile.unsignedPayload = changes.get("unsigned_payload", False)
    profile.language = changes.get("language", "en-US")
    key_id, key = changes.get("key_id", served["keyId"]), changes.get("key", served["secretKey"])
    return Client(Credential(key_id, key, changes.get("token")), "", profile)


def call(clouds, action, _client=None, **fields):
    """Calls an action with the class that the vendor has for its request."""
    request = getattr(models, f"{action}Request")()
    for name, value in fields.items():
        holds(hasattr(request, name), f"{action}Request has no field {name}")
        setattr(request, name, value)
    PACE.wait(action)
    return getattr(_client or client(clouds), action)(request)


def refused(code, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except TencentCloudSDKException as error:
        equal(error.get_code(), code)
        holds(error.get_request_id(), "a refusal has the id of the call")
        return error.get_message()
    raise AssertionError(f"not refused with {code}")


def bought(clouds, purpose):
    return clouds.tencent["certificates"][purpose]


def describe(clouds, purpose):
    return call(clouds, "DescribeCertificate", CertificateId=bought(clouds, purpose))


def until_status(clouds, purpose, status):
    return until(lambda: describe(clouds, purpose), lambda seen: seen.Status == status)


PERSON = {
    "GenCsrType": "online",
    "CertCommonName": "www.acme.example",
    "CompanyType": 1,
    "CompanyId": "0",
    "ManagerId": "0",
    "ContactEmail": "pki@acme.example",
    "CsrEncryptAlgo": "ECC",
    "CsrKeyParameter": "prime256v1",
    "VerifyType": "DNS",
}
COMPANY = {
    "GenCsrType": "online",
    "CertCommonName": "www.acme.example",
    "CompanyType": 2,
    "CompanyId": "0",
    "ManagerId": "0",
    "CsrEncryptAlgo": "RSA",
    "CsrKeyParameter": "2048",
    "VerifyType": "DNS",
    "OrgOrganization": "示例科技有限公司",
    "OrgDivision": "R&D <平台>",
    "OrgAddress": "No. 101, \"Example\" Road",
    "OrgCountry": "CN",
    "OrgCity": "广州",
    "OrgRegion": "广东",
    "OrgPhoneArea": "020",
    "OrgPhoneNumber": "12345678",
    "AdminFirstName": "宁",
    "AdminLastName": "黄",
    "AdminPhone": "13112341234",
    "AdminEmail": "pki@acme.example",
    "AdminTitle": "R&D",
    "TechFirstName": "Mei",
    "TechLastName": "Lin",
    "TechPhone": "13112341235",
    "TechEmail": "ops@acme.example",
    "TechTitle": "Operations",
}


@case("Tencent: the company of the account is listed, its id a number")
def _(clouds):
    listed = call(clouds, "DescribeCompanies", Limit=100)
    equal((listed.TotalCount, len(listed.Companies)), (1, 1))
    company = listed.Companies[0]
    equal((company.CompanyId, company.CompanyName), (clouds.tencent["companyId"], "Acme Trading Co., Ltd."))
    equal(call(clouds, "DescribeCompanies", Limit=100, CompanyId=7).TotalCount, 0)


@case("Tencent: its manager is listed, with the review for each kind of certificate")
def _(clouds):
    company = clouds.tencent["companyId"]
    listed = call(clouds, "DescribeManagers", CompanyId=company, SearchKey="pki@acme.example")
    manager = listed.Managers[0]
    equal((manager.ManagerId, manager.Status), (clouds.tencent["managerId"], "ok"))
    equal([(level.Type, level.Status) for level in manager.StatusInfo], [("ov", "completed")])
    equal(call(clouds, "DescribeManagers", CompanyId=company, Status="audit").TotalCount, 0)


@case("Tencent: a bought certificate waits for its information")
def _(clouds):
    seen = describe(clouds, "single")
    equal((seen.Status, seen.IsDv, seen.OrderId), (PENDING, True, None))


@case("Tencent: an order without information is refused")
def _(clouds):
    refused("FailedOperation.InvalidParam", call, clouds, "CertificateOrderSubmit", CertId=bought(clouds, "single"))


@case("Tencent: a person's order, from the information to the certificate and its archive")
def _(clouds):
    id = bought(clouds, "single")
    call(clouds, "CertificateInfoSubmit", CertId=id, **PERSON)
    stored = describe(clouds, "single")
    equal((stored.Status, stored.SubmittedData.CertificateDomain), (PENDING, "www.acme.example"))
    ordered = call(clouds, "CertificateOrderSubmit", CertId=id, VerifyType="DNS")
    holds(ordered.OrderId, "the order has a number")
    issued = until_status(clouds, "single", ISSUED)
    equal((issued.OrderId, issued.SubjectAltName), (ordered.OrderId, ["www.acme.example"]))
    detail = call(clouds, "DescribeCertificateDetail", CertificateId=id)
    pem(detail.CertificatePublicKey, "CERTIFICATE", 2)
    pem(detail.CertificatePrivateKey, "PRIVATE KEY")
    download = call(clouds, "DownloadCertificate", CertificateId=id)
    equal(download.ContentType, "application/zip")
    archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(download.Content)))
    holds(any(name.endswith(".key") for name in archive.namelist()), archive.namelist())


@case("Tencent: a company's order by its saved profile and with a CSR of one's own")
def _(clouds):
    id = bought(clouds, "company")
    ids = {"CompanyId": str(clouds.tencent["companyId"]), "ManagerId": str(clouds.tencent["managerId"])}
    fields = {"GenCsrType": "parse", "Csr": CSR, "CertCommonName": "www.acme.example", "CompanyType": 2}
    call(clouds, "CertificateInfoSubmit", CertId=id, VerifyType="DNS", **fields, **ids)
    equal(describe(clouds, "company").SubmittedData.OrganizationCity, "广州")
    call(clouds, "CertificateOrderSubmit", CertId=id)
    until_status(clouds, "company", ISSUED)
    detail = call(clouds, "DescribeCertificateDetail", CertificateId=id)
    holds(not detail.CertificatePrivateKey, "the cloud does not have the key")


@case("Tencent: a reissued certificate names the one that it came from, and that one the new one")
def _(clouds):
    described = models.CertificateExtra
    # The names suggest the opposite: "by" is the id of before, "for" that of the reissue.
    holds(described.ReplacedBy.__doc__.startswith("Original ID of the new certificate"), described.ReplacedBy.__doc__)
    holds(described.ReplacedFor.__doc__.startswith("Reissue certificate id"), described.ReplacedFor.__doc__)
    old, new = bought(clouds, "company"), clouds.tencent["reissue"]
    links = lambda id: call(clouds, "DescribeCertificate", CertificateId=id).CertificateExtra
    before = until(lambda: links(old), lambda seen: seen.ReplacedFor)
    equal((before.ReplacedBy, before.ReplacedFor), (None, new))
    equal((links(new).ReplacedBy, links(new).ReplacedFor), (old, None))


@case("Tencent: a certificate is reissued once, with its own key or another, and leads to the new one")
def _(clouds):
    see = lambda id: call(clouds, "DescribeCertificate", CertificateId=id)
    is_issued = lambda seen: seen.Status == ISSUED
    # One runs at a time under a registered domain.
    until(lambda: see(clouds.tencent["reissue"]), is_issued)
    old = bought(clouds, "single")
    first = call(clouds, "ReplaceCertificate", CertificateId=old, ValidType="DNS").CertificateId
    refused("FailedOperation.OrderAlreadyReplaced", call, clouds, "ReplaceCertificate", CertificateId=old, ValidType="DNS")
    until(lambda: see(first), is_issued)
    detail = lambda id: call(clouds, "DescribeCertificateDetail", CertificateId=id)
    equal(detail(first).CertificatePrivateKey, detail(old).CertificatePrivateKey)
    equal(detail(first).CertEndTime, detail(old).CertEndTime)
    own = {"CsrType": "upload", "CsrContent": CSR, "Reason": "renewal"}
    second = call(clouds, "ReplaceCertificate", CertificateId=first, ValidType="DNS", **own).CertificateId
    until(lambda: see(second), is_issued)
    holds(not detail(second).CertificatePrivateKey, "the cloud does not have the key")
    listed = call(clouds, "DescribeCertificates", CertIds=[old, first, second], Limit=1000).Certificates
    links = {one.CertificateId: (one.CertificateExtra.ReplacedBy, one.CertificateExtra.ReplacedFor) for one in listed}
    equal(links, {old: (None, first), first: (old, second), second: (first, None)})
    equal({one.ReplaceOriCertIsDelete for one in listed if one.CertificateId != old}, {False})
    logs = call(clouds, "DescribeCertificateOperateLogs", Limit=1000).OperateLogs
    equal({log.CertId for log in logs if log.Type == "replace"}, {old, first})
    refused("FailedOperation.RevokeFailed", call, clouds, "RevokeCertificate", CertificateId=second, Reason="unused")


@case("Tencent: a company's data inline, in Chinese and with what JSON and HTML escape")
def _(clouds):
    id = bought(clouds, "multi")
    names = ["api.acme.example", "xn--fiq228c.acme.example"]
    call(clouds, "CertificateInfoSubmit", CertId=id, DnsNames=names, **COMPANY)
    stored = describe(clouds, "multi").SubmittedData
    shown = (stored.OrganizationName, stored.OrganizationDivision, stored.OrganizationAddress, stored.DomainList)
    equal(shown, (COMPANY["OrgOrganization"], COMPANY["OrgDivision"], COMPANY["OrgAddress"], names))


@case("Tencent: a running order shows its records, is checked, stopped and opened again")
def _(clouds):
    id = bought(clouds, "held")
    call(clouds, "CertificateInfoSubmit", CertId=id, **PERSON)
    call(clouds, "CertificateOrderSubmit", CertId=id)
    running = describe(clouds, "held")
    equal((running.Status, running.StatusMsg), (UNDER_REVIEW, "PENDING-DCV"))
    auth = running.DvAuthDetail.DvAuths[0]
    equal((auth.DvAuthDomain, auth.DvAuthSubDomain, auth.DvAuthVerifyType), ("acme.example", "_dnsauth.www", "TXT"))
    checked = call(clouds, "CheckCertificateDomainVerification", CertificateId=id).VerificationResults
    equal([(one.Domain, one.LocalCheck, one.CaCheck) for one in checked], [("www.acme.example", -1, -1)])
    refused("FailedOperation.CertificateOrderSubmitProcessing", call, clouds, "CertificateOrderSubmit", CertId=id)
    equal(call(clouds, "CancelAuditCertificate", CertificateId=id).Result, True)
    until_status(clouds, "held", CANCELLED)
    equal(call(clouds, "ModifyCertificateResubmit", CertificateId=id).CertificateId, id)
    equal(describe(clouds, "held").Status, PENDING)


@case("Tencent: the list has what DescribeCertificate lacks, and takes filters")
def _(clouds):
    listed = call(clouds, "DescribeCertificates", CertIds=[bought(clouds, "single")])
    equal((listed.TotalCount, listed.Certificates[0].CertificateId), (1, bought(clouds, "single")))
    equal(call(clouds, "DescribeCertificates", CertificateStatus=[PENDING], Limit=10).TotalCount, 2)
    equal(len(call(clouds, "DescribeCertificates", Offset=1, Limit=1).Certificates), 1)


@case("Tencent: the log of operations has every call that changed something")
def _(clouds):
    logs = call(clouds, "DescribeCertificateOperateLogs", Limit=1000).OperateLogs
    of_this = {log.Type for log in logs if log.CertId == bought(clouds, "held")}
    equal(of_this, {"submitInfo", "applyVIP", "cancel", "Resubmit"})


@case("Tencent: an issued certificate takes no information and no order, and is revoked")
def _(clouds):
    id = bought(clouds, "single")
    invalid = "FailedOperation.CertificateInfoSubmitStatusInvalid"
    refused(invalid, call, clouds, "CertificateInfoSubmit", CertId=id, **PERSON)
    code = "FailedOperation.InvalidCertificateStatusCode"
    refused(code, call, clouds, "CertificateOrderSubmit", CertId=id)
    call(clouds, "RevokeCertificate", CertificateId=id, Reason="no longer used")
    until_status(clouds, "single", REVOKED)


@case("Tencent: a letter is taken only where one is wanted")
def _(clouds):
    letter = base64.b64encode(b"%PDF-1.7" + bytes(2000)).decode()
    wrong = [
        ("FailedOperation.InvalidCertificateStatusCode", "company"),
        ("FailedOperation.UploadConfirmCertificateNotSupportDV", "held"),
    ]
    for code, purpose in wrong:
        id = bought(clouds, purpose)
        refused(code, call, clouds, "UploadConfirmLetter", CertificateId=id, ConfirmLetter=letter)


@case("Tencent: temporary credentials, an unsigned payload and Chinese are understood")
def _(clouds):
    temporary = {"key_id": clouds.tencent["temporaryId"], "token": clouds.tencent["token"]}
    for changes in [temporary, {"unsigned_payload": True}, {"language": "zh-CN"}]:
        equal(call(clouds, "DescribeCompanies", client(clouds, **changes), Limit=1).TotalCount, 1)


@case("Tencent: who is not who they say is refused")
def _(clouds):
    wrong = [
        ("AuthFailure.SignatureFailure", {"key": "another"}),
        ("AuthFailure.SecretIdNotFound", {"key_id": "AKIDunknown"}),
        ("AuthFailure.TokenFailure", {"key_id": clouds.tencent["temporaryId"], "token": "another"}),
    ]
    for code, changes in wrong:
        refused(code, call, clouds, "DescribeCompanies", client(clouds, **changes), Limit=1)


@case("Tencent: what an action does not declare is refused, whatever the client lets pass")
def _(clouds):
    id = bought(clouds, "held")
    wrong = [
        ("UnknownParameter", "DescribeCertificate", {"CertificateId": id, "CertId": id}),
        ("MissingParameter", "DescribeCertificate", {}),
        ("InvalidParameter", "CertificateInfoSubmit", {"CertId": id, **PERSON, "CompanyType": "1"}),
        ("InvalidParameter", "CertificateInfoSubmit", {"CertId": id, **PERSON, "CompanyId": 0}),
        ("InvalidParameterValue", "DescribeCertificates", {"CertIds": []}),
        ("UnknownParameter", "DescribeCertificates", {"ServiceId": "svc-1"}),
        ("UnknownParameter", "ReplaceCertificate", {"CertificateId": id, "ValidType": "DNS", "SignAlgo": "x"}),
        ("InvalidParameterValue", "CertificateOrderSubmit", {"CertId": id, "VerifyType": "DNS_AUTO"}),
        ("FailedOperation.CertificateNotFound", "DescribeCertificate", {"CertificateId": "unknown1"}),
        ("InvalidAction", "DescribePackages", {}),
    ]
    for code, action, fields in wrong:
        PACE.wait(action)
        refused(code, client(clouds).call_json, action, fields)


@case("Tencent: more than ten calls of an action in a second are too many")
def _(clouds):
    one = client(clouds)

    def hurry():
        for _ in range(300):
            one.DescribeCompanies(models.DescribeCompaniesRequest())

    refused("RequestLimitExceeded", hurry)
