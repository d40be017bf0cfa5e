"""What a team writes in an afternoon: a kopf operator on the vendor's SDK. It keeps no promise of once: a process that ends
between a call and its status hands the application in again, and so does one whose reply is lost."""

import base64
import datetime
import functools
import os
import pathlib

import kopf
import kubernetes
from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.ssl.v20191205 import models, ssl_client


@kopf.on.startup()
def begin(settings, **_):
    settings.execution.max_workers = 64
    settings.posting.enabled = False
    kubernetes.config.load_kube_config()
    pathlib.Path(os.environ["READY_FILE"]).touch()


@functools.cache
def client(namespace, name):
    data = kubernetes.client.CoreV1Api().read_namespaced_secret(name, namespace).data
    key_id, key = (base64.b64decode(data[entry]).decode() for entry in ("secretId", "secretKey"))
    http = HttpProfile(protocol="http", endpoint=os.environ["TENCENT_ENDPOINT"].split("//")[1], keepAlive=True)
    return ssl_client.SslClient(Credential(key_id, key), "", ClientProfile(httpProfile=http))


def call(ssl, action, **fields):
    request = getattr(models, f"{action}Request")()
    for name, value in fields.items():
        setattr(request, name, value)
    return getattr(ssl, action)(request)


def true(kind, answer):
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = f"RequestId {answer.RequestId}"
    return {"type": kind, "status": "True", "reason": "Accepted", "message": message, "lastTransitionTime": now}


@kopf.on.create("certorder.dev", "v1alpha1", "certificateorders")
def create(spec, namespace, patch, **_):
    ssl, order = client(namespace, spec["credentialsRef"]["name"]), spec["provider"]["tencentCloud"]
    fields = {"CertId": order["certificateId"], "VerifyType": spec["validation"]["method"]}
    fields |= {"CertCommonName": spec["commonName"], "ContactEmail": order["contactEmail"]}
    fields |= {"CompanyType": 1, "CompanyId": "0", "ManagerId": "0", "GenCsrType": "online", "CsrEncryptAlgo": "ECC", "CsrKeyParameter": "prime256v1"}
    handed_in = call(ssl, "CertificateInfoSubmit", **fields)
    sent = call(ssl, "CertificateOrderSubmit", CertId=order["certificateId"])
    patch.status["orderId"] = sent.OrderId
    patch.status["conditions"] = [true("Submitted", handed_in), true("Ordered", sent)]
