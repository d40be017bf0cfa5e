//! Writes the Secrets of an order.

use k8s_openapi::api::core::v1::Secret;

use crate::api::v1alpha1::{CertificateOrder, SecretTemplate};
use crate::core::conditions::Problem;
use crate::order::controller::Controller;
use crate::order::export::secret::{self, Owner, Wanted};

/// Writes Secrets, up to the first that the API server refuses.
pub async fn write_secrets(
    controller: &Controller,
    order: &CertificateOrder,
    owner: &Owner,
    template: &SecretTemplate,
    all: &[(Wanted, Option<&Secret>)],
) -> Result<Result<(), Problem>, kube::Error> {
    for (wanted, stored) in all {
        let written =
            secret::write(&controller.context.client, order, owner, *stored, wanted, template).await;
        controller.context.telemetry.wrote(order, "Secret", &wanted.name);
        if let Err(problem) = secret::refused(&wanted.name, written)? {
            return Ok(Err(problem));
        }
    }
    Ok(Ok(()))
}
