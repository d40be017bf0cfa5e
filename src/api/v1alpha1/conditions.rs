//! The words of the conditions: every type and every reason, what it means and what the user does about it.

use strum::{Display, EnumIter, IntoStaticStr};

/// What a condition speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumIter, IntoStaticStr)]
pub enum ConditionType {
    /// The order reached what `readyPolicy` waits for; for a profile: its data are complete and its references
    /// resolve. Unknown until the controller first looked.
    Ready,
    /// Work goes on, or a person or a CA is waited for. Present only while true; never together with Stalled.
    Reconciling,
    /// Nothing more happens until somebody changes something. Present only while true. The cloud is still read
    /// once an hour.
    Stalled,
    /// The cloud accepted the application of the present attempt.
    Submitted,
    /// The order of the present attempt was sent to the CA.
    Ordered,
    /// The CA issued the certificate.
    Issued,
    /// The certificate stands in the Secret that the order names.
    SecretSynced,
    /// False while the Secrets go without some keys of `secretTemplate`. Present only then; nothing waits for it.
    SecretTemplateAccepted,
    /// The certificate is being renewed: from when that is due until its successor stands in the Secret. Present only while
    /// true; Ready stays.
    Renewing,
    /// The proofs of control stand in the `DNSEndpoint` of the order, for external-dns. False says why not. Present only with
    /// `validation.dnsEndpoint`, while the CA needs them.
    #[strum(serialize = "DNSEndpointSynced")]
    DnsEndpointSynced,
    /// A person must do something: add a record, send a letter, take a call. The message has the details.
    ActionRequired,
    /// `mode: Plan`: the request stands in `status.plan`, and nothing was sent.
    Planned,
    /// `suspend: true`: the order is left alone. Ready keeps its value.
    Suspended,
    /// For a profile: the profile saved at Tencent Cloud is found.
    Resolved,
    /// For a profile: the profile saved at Tencent Cloud passed its review.
    Approved,
}

/// Why a condition is as it is: reasons to wait, reasons to stop, and results, in this order: see [`Reason::class`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Display, EnumIter, IntoStaticStr)]
pub enum Reason {
    // Reasons to wait (Reconciling).
    /// Not looked at yet, or just starting. Nothing to do.
    Pending,
    /// A Secret that the order or its profile names is not there. Create it; the order wakes at once.
    SecretNotFound,
    /// A Secret is there but lacks an entry, or lacks the label `certorder.dev/readable: "true"`, which what is sent to a
    /// cloud and passwords of keystores need. Add it.
    SecretKeyMissing,
    /// The profile that the order names is not there. Create it.
    ProfileNotFound,
    /// The profile saved at Tencent Cloud is not approved, and `reuse: Required` waits for it. The CA may call the
    /// administrator.
    ProfileInReview,
    /// The cloud asks to slow down. Nothing to do.
    RateLimited,
    /// The cloud does not answer, or fails. Nothing to do unless it lasts.
    CloudUnavailable,
    /// The cloud refuses the time of the requests: this machine's clock and the cloud's differ too much. Set the clock of the
    /// node; every order of the account goes on within two minutes.
    ClockSkew,
    /// The claim to the certificate, a Lease, cannot be stored or read. Grant the rights that the message names.
    ClaimUnavailable,
    /// A call was cut off, and the cloud is asked what became of it before another one is made. Nothing to do.
    Settling,
    /// The application or the order is being sent. Nothing to do.
    Submitting,
    /// The cloud or the CA reviews the application. Take the CA's call.
    InReview,
    /// The CA waits for the proof that you control the names. Add what `status.validationRecords` shows.
    AwaitingValidation,
    /// The CA waits for a signed letter. Create the Secret that `confirmationLetterSecretRef` names, or upload the letter
    /// in the console.
    AwaitingLetter,
    /// The CA is about to issue, or to reissue. Nothing to do.
    Issuing,
    /// The issued certificate is being fetched. Nothing to do.
    Exporting,
    /// A review is being stopped. Nothing to do.
    Withdrawing,
    /// The order is being deleted with `deletionPolicy: Revoke`, and its certificate is issued. Confirm with the
    /// annotation `certorder.dev/confirm-revoke`, or set the policy to Retain.
    AwaitingConfirmation,
    /// As many orders of this namespace run as the operator lets run at the same time. Wait until one of them is issued or
    /// ends, or raise the limit.
    BudgetExceeded,

    // Reasons to stop (Stalled).
    /// The cloud refuses the request, or the order asks for something that the product or this version does not
    /// have. Edit the order.
    InvalidRequest,
    /// The profile lacks data that this order needs. Complete it.
    ProfileIncomplete,
    /// The CSR cannot be read, or is too weak. Replace it.
    CsrInvalid,
    /// The CSR is for other names, or the key is not the CSR's. Make them agree.
    CsrMismatch,
    /// The cloud knows no such certificate in this account. Check the id, the site or region, and the credentials.
    CertificateNotFound,
    /// The certificate is already ordered or issued for other names. Use another certificate, or ask for its names.
    CertificateInUse,
    /// Another order claims the same certificate. Delete one of them.
    DuplicateCertificate,
    /// The cloud refuses the credentials. Replace the Secret.
    CredentialsRefused,
    /// The credentials are good, but may not make this call. Grant the permission.
    PermissionDenied,
    /// The cloud account has not passed its identity verification. Do it in the console.
    AccountNotVerified,
    /// The cloud or the CA rejected the application. Mend what the message says, or ask for another attempt with
    /// the annotation `certorder.dev/resubmit-at`.
    Rejected,
    /// The order was cancelled at the cloud. Edit it, or ask for another attempt with `certorder.dev/resubmit-at`.
    Cancelled,
    /// The review was stopped. Edit the order, or ask for another attempt with `certorder.dev/resubmit-at`.
    Withdrawn,
    /// A call got no answer, and the cloud does not show what became of it. Look in the console, then ask for
    /// another attempt with `certorder.dev/resubmit-at`.
    OutcomeUnknown,
    /// The key of a running order is gone or unreadable. Restore the Secret, or withdraw the order.
    KeyLost,
    /// The Secret to write is not this order's, or another order writes it, or the API server refuses it. Choose another
    /// `secretName`, or do what the message says.
    SecretConflict,
    /// Somebody else rewrites the Secret again and again. Let that program, which the message names, leave it alone.
    SecretContested,
    /// The private key of the certificate is not the one that `privateKeySecretRef` names, or is neither in the cluster
    /// nor at the cloud. Name it with `privateKeySecretRef`, or restore the Secret `NAME-key`.
    KeyNotHeld,
    /// What the cloud handed over does not fit: another key, other names, or a broken chain. Nothing was written.
    /// Look into the cloud's console.
    BundleInvalid,
    /// The certificate, or the approval of a profile, has run out. Buy a certificate, or renew the approval.
    Expired,
    /// The certificate was revoked.
    Revoked,
    /// The money was paid back; this certificate cannot be ordered.
    Refunded,

    // Results, which are neither.
    /// Submitted, Ordered: the cloud accepted what this object sent.
    Accepted,
    /// Submitted, Ordered: found at the cloud, sent by somebody else or before a status was lost.
    Adopted,
    /// Ready: sent to the CA, which is what `readyPolicy: Ordered` waits for.
    Ordered,
    /// Ready, Issued: the CA issued the certificate.
    Issued,
    /// `SecretSynced`: the Secret holds the issued certificate.
    Synced,
    /// `SecretTemplateAccepted`: a key has a prefix that is not allowed here, and is left off. Have the administrator allow
    /// the prefix, or take the key out.
    PrefixNotAllowed,
    /// Renewing: it is due, and the cloud shows no successor yet. Nothing to do unless it lasts.
    SuccessorNotFound,
    /// Renewing: a successor was found. Nothing to do.
    SuccessorFound,
    /// Renewing: the order of the successor runs. What it needs of a person stands in `ActionRequired`.
    SuccessorInProgress,
    /// Renewing: the cloud or the CA rejected the successor. The Secret stays as it is; do what `ActionRequired` says.
    SuccessorRejected,
    /// Renewing: the API server refuses the order of the successor, by a quota, a policy or a rule. Do what its words say.
    SuccessorRefused,
    /// Renewing: several certificates could be the successor, or the clouds' links contradict each other. Name the right one
    /// with `spec.renewal.certificateId`.
    SuccessorAmbiguous,
    /// Renewing: the successor is issued, and must not take the place of the current certificate; why.
    SwapBlocked,
    /// Renewing: the reissued certificate ends no later than its original. No other reissue is asked for; buy a certificate.
    ReissueDidNotExtend,
    /// Renewing: the certificate ends soon, and its successor does not stand in the Secret. Look into the console.
    RenewalOverdue,
    /// `DNSEndpointSynced`: the cluster has no kind `DNSEndpoint`. Install external-dns' `CustomResourceDefinition`.
    CrdNotInstalled,
    /// `DNSEndpointSynced`: the operator has no rights to the kind. Set the chart's `dnsEndpoint.enabled`.
    RightMissing,
    /// `DNSEndpointSynced`: the API server refuses the object. The message has its answer.
    #[strum(serialize = "DNSEndpointRefused")]
    DnsEndpointRefused,
    /// `DNSEndpointSynced`: an object of its name is not the order's. Delete it.
    #[strum(serialize = "DNSEndpointConflict")]
    DnsEndpointConflict,
    /// `DNSEndpointSynced`: another `DNSEndpoint` has a record of the same name and type with another value. Take it out there.
    RecordConflict,
    /// `ActionRequired`: the CA has not seen the records of the `DNSEndpoint` for hours. Look into the log of external-dns.
    RecordNotSeen,
    /// Planned, Ready: `mode: Plan`, nothing was sent. Set `mode: Apply` to send it.
    Planned,
    /// Suspended: `suspend: true`.
    Suspended,
    /// Ready of a profile: the data are complete and the references resolve.
    Complete,
    /// Resolved: the ids are those of the profile's spec.
    Given,
    /// Resolved: found by name and address.
    Matched,
    /// Resolved: no saved company or manager fits. Save one in the console, or give its ids.
    NotFound,
    /// Resolved: several fit equally well. Give the ids.
    Ambiguous,
    /// Resolved: the cloud refused to list the saved profiles. The message has its answer.
    Refused,
    /// Approved: the review is passed.
    Approved,
    /// Approved: the review is passed, but the approval ends soon. Renew it in the console.
    Expiring,
    /// Approved: the review failed. Correct the profile in the console.
    Invalid,
}

/// What a reason means for the work on an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Goes on by itself, or once a person or a CA has acted: Reconciling.
    Waiting,
    /// Goes on only after somebody changed something: Stalled.
    Stopped,
    /// Says how a condition came about, and neither waits nor stops.
    Result,
}

impl Reason {
    /// Whether an object with this reason waits or stopped.
    #[must_use]
    pub fn class(self) -> Class {
        if self < Self::InvalidRequest {
            Class::Waiting
        } else if self < Self::Accepted {
            Class::Stopped
        } else {
            Class::Result
        }
    }
}
