"""Huawei Cloud SCM, by its own client."""

import json
from pathlib import Path

from huaweicloudsdkcore.auth.credentials import GlobalCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkscm import v3 as scm

from harness import Pace, case, equal, holds, pem, until
from shapes import check_huawei

CSR = Path(__file__).with_name("acme.csr").read_text()
PACE = Pace(per_second=5)


def client(clouds, **changes):
    served = clouds.huawei
    key_id, key = changes.get("key_id", served["keyId"]), changes.get("key", served["secretKey"])
    credentials = GlobalCredentials(key_id, key, changes.get("domain_id"))
    if "token" in changes:
        credentials = credentials.with_security_token(changes["token"])
    return scm.ScmClient.new_builder().with_credentials(credentials).with_endpoint(served["url"]).build()


def call(clouds, operation, request, **changes):
    PACE.wait(operation)
    answer = getattr(client(clouds, **changes), operation)(request)
    equal(answer.status_code, 200)
    check_huawei(json.loads(answer.raw_content), type(answer))
    return answer


def refused(status, code, function, *args, **kwargs):
    try:
        function(*args, **kwargs)
    except ServiceResponseException as error:
        equal((error.status_code, error.error_code), (status, code))
        holds(error.request_id, "a refusal has the id of the call")
        return
    raise AssertionError(f"not refused with {code}")


def bought(clouds, purpose):
    return clouds.huawei["certificates"][purpose]


def show(clouds, purpose):
    return call(clouds, "show_certificate", scm.ShowCertificateRequest(bought(clouds, purpose)))


def until_status(clouds, purpose, status):
    return until(lambda: show(clouds, purpose), lambda seen: seen.status == status)


def export(clouds, purpose):
    return call(clouds, "export_certificate", scm.ExportCertificateRequest(bought(clouds, purpose)))


def cancel(clouds, purpose):
    request = scm.CancelCertificateRequestRequest(bought(clouds, purpose))
    return call(clouds, "cancel_certificate_request", request)


def body(**changes):
    fields = {
        "domain": "www.acme.example",
        "applicant_name": "黄宁.Huang",
        "applicant_phone": "13112341234",
        "applicant_email": "pki@acme.example",
        "auto_dns_auth": False,
        "agree_privacy_protection": True,
        "domain_method": "DNS",
    }
    return scm.ApplyCertificateRequestBody(**{**fields, **changes})


def apply(clouds, purpose, body):
    request = scm.ApplyCertificateRequest(certificate_id=bought(clouds, purpose), body=body)
    return call(clouds, "apply_certificate", request)


@case("Huawei: a bought certificate is PAID and has nothing of an application")
def _(clouds):
    seen = show(clouds, "single")
    equal((seen.status, seen.type, seen.domain, seen.authentification), ("PAID", "DV_SSL_CERT", "", []))
    equal(seen.application_info, None)


@case("Huawei: what is not issued cannot be exported, and what is not applied for cannot be withdrawn")
def _(clouds):
    refused(400, "SCM.0010", export, clouds, "single")
    refused(400, "SCM.0010", cancel, clouds, "single")


@case("Huawei: a DV application, from apply to the exported certificate and key")
def _(clouds):
    equal(apply(clouds, "single", body(key_algorithm="EC_P256")).request_info, "success")
    issued = until_status(clouds, "single", "ISSUED")
    equal((issued.domain, issued.validation_method), ("www.acme.example", "DNS"))
    holds(issued.not_after > issued.not_before, "the certificate has its dates")
    equal(issued.application_info.applicant_name, "黄宁.Huang")
    exported = export(clouds, "single")
    pem(exported.entire_certificate, "CERTIFICATE", 2)
    pem(exported.certificate, "CERTIFICATE")
    pem(exported.private_key, "PRIVATE KEY")
    refused(400, "SCM.0010", apply, clouds, "single", body())


@case("Huawei: an OV application with a CSR of one's own, whose key the cloud does not have")
def _(clouds):
    company = {
        "company_name": "示例科技有限公司",
        "company_unit": "R&D <平台>",
        "company_province": "广东",
        "company_city": "广州",
        "country": "CN",
        "contact_name": "林梅",
        "contact_phone": "13112341235",
        "contact_email": "ops@acme.example",
    }
    refused(400, "SCM.0005", apply, clouds, "company", body(csr=CSR))
    apply(clouds, "company", body(csr=CSR, **company))
    issued = until_status(clouds, "company", "ISSUED")
    equal(issued.application_info.company_name, company["company_name"])
    holds(not export(clouds, "company").private_key, "the cloud does not have the key")


@case("Huawei: each name of a certificate for several has its record")
def _(clouds):
    refused(400, "SCM.0015", apply, clouds, "held", body(sans="api.acme.example"))
    apply(clouds, "multi", body(sans="api.acme.example;xn--fiq228c.acme.example"))
    seen = until(lambda: show(clouds, "multi"), lambda seen: seen.sans)
    equal(seen.sans, "api.acme.example;xn--fiq228c.acme.example")


@case("Huawei: what breaks a rule is refused")
def _(clouds):
    wrong = [
        body(agree_privacy_protection=False),
        body(agree_privacy_protection="true"),
        body(applicant_name="Tom"),
        body(applicant_email="example.huawei.com"),
        body(domain_method="FILE"),
        body(key_algorithm="RSA_1024"),
    ]
    for one in wrong:
        refused(400, "SCM.0005", apply, clouds, "held", one)


@case("Huawei: an application waits for its record, and can be withdrawn and filed again")
def _(clouds):
    apply(clouds, "held", body())
    waiting = show(clouds, "held")
    equal(waiting.status, "CHECKING_DOMAIN")
    record = waiting.authentification[0]
    equal((record.domain, record.record_type), ("www.acme.example", "TXT"))
    equal(record.record_name, "_dnsauth.www.acme.example")
    refused(400, "SCM.0010", apply, clouds, "held", body())
    cancelled = cancel(clouds, "held")
    equal((cancelled.cert_id, cancelled.message), (bought(clouds, "held"), "success"))
    until_status(clouds, "held", "PAID")
    equal(apply(clouds, "held", body()).request_info, "success")


@case("Huawei: the list takes filters, pages and text that has to be encoded")
def _(clouds):
    def listed(**query):
        return call(clouds, "list_certificates", scm.ListCertificatesRequest(**query))

    equal(listed().total_count, 4)
    equal(listed(status="ISSUED", owned_by_self=True, enterprise_project_id="0").total_count, 3)
    page = listed(limit=10, offset=3, sort_key="certStatus", sort_dir="ASC")
    equal((len(page.certificates), page.total_count), (1, 4))
    equal(listed(content="www.acme").total_count, 4)
    equal(listed(content="a b/c+~*示例&limit=7").total_count, 0)
    refused(400, "SCM.0005", listed, limit=7)
    refused(400, "SCM.0005", listed, limit=50, offset=101)


@case("Huawei: an account id that is sent along, and temporary credentials, are understood")
def _(clouds):
    request = scm.ListCertificatesRequest()
    account = call(clouds, "list_certificates", request).certificates[0].domain_id
    call(clouds, "list_certificates", request, domain_id=account)
    refused(403, "APIGW.0302", call, clouds, "list_certificates", request, domain_id="another")
    temporary = {"key_id": clouds.huawei["temporaryId"], "token": clouds.huawei["token"]}
    call(clouds, "list_certificates", request, **temporary)


@case("Huawei: who is not who they say is refused")
def _(clouds):
    request = scm.ListCertificatesRequest()
    temporary = {"key_id": clouds.huawei["temporaryId"], "token": "another"}
    for changes in [{"key": "another"}, {"key_id": "unknown"}, temporary]:
        refused(401, "APIGW.0301", call, clouds, "list_certificates", request, **changes)


class Extended(scm.ApplyCertificateRequestBody):
    """The body of `apply` with a field that the API does not have."""

    openapi_types = {**scm.ApplyCertificateRequestBody.openapi_types, "password": "str"}
    attribute_map = {**scm.ApplyCertificateRequestBody.attribute_map, "password": "password"}
    password = "secret"


@case("Huawei: what the API does not have is refused")
def _(clouds):
    refused(400, "SCM.0005", apply, clouds, "held", Extended(**body().to_dict()))
    show_unknown = scm.ShowCertificateRequest("scs0000000000000")
    refused(400, "SCM.0020", call, clouds, "show_certificate", show_unknown)
    refused(400, "SCM.0008", call, clouds, "show_certificate", scm.ShowCertificateRequest("scs1"))
    refused(404, "APIGW.0101", call, clouds, "list_csr", scm.ListCsrRequest())


@case("Huawei: more than five calls of an action in a second are too many")
def _(clouds):
    one = client(clouds)

    # A POST: of a refused GET the client keeps nothing but the status.
    def hurry():
        for _ in range(200):
            one.export_certificate(scm.ExportCertificateRequest(bought(clouds, "single")))

    refused(429, "APIGW.0308", hurry)
