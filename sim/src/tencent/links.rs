//! What ties a certificate to those before and after it, and when that can be read.

/// The certificates that took the place of another one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Successors {
    /// By a reissue (`ReplacedFor`: "Reissue certificate id").
    pub reissued_to: Option<String>,
    /// By an order to renew it (`RenewOrder`, and `HasRenewOrder` in the list).
    pub renew_order: Option<String>,
    /// By the subscription service (`ServiceRenewCertificateId`, on the China site only).
    pub service_renew: Option<String>,
    /// By the cloud's managed renewal (`HostingRenewCertId`, in the list only).
    pub hosting_renew: Option<String>,
}

impl Successors {
    /// Whether another certificate was paid for or begun.
    pub(super) fn is_renewed(&self) -> bool {
        self.renew_order.is_some() || self.service_renew.is_some()
    }
}

/// The certificates whose place one took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Predecessors {
    /// By a reissue (`ReplacedBy`: "Original ID of the new certificate").
    pub reissued_from: Option<String>,
    /// By an order to renew it (`OriginCertificateId`).
    pub renewal_of: Option<String>,
    /// By the subscription service (`ServiceOriginCertificateId`, on the China site only).
    pub service_origin: Option<String>,
}

/// When the links of one certificate can be read. A read is one answer that shows the certificate: of
/// `DescribeCertificate`, `DescribeCertificateDetail`, or its item in a page of `DescribeCertificates`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Those to what took its place.
    pub forward: Visibility,
    /// Those to whose place it took.
    pub back: Visibility,
}

impl Links {
    /// Counts a read.
    pub(super) fn count_read(&mut self) {
        self.forward.count_read();
        self.back.count_read();
    }
}

/// When a link can be read.
///
/// Inferred: at once and for ever; the documents do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    /// Not before the new certificate is issued.
    pub once_issued: bool,
    /// Not in that many reads.
    pub after_reads: u32,
    /// In that many reads, and then no more.
    pub for_reads: Option<u32>,
}

impl Visibility {
    /// Whether the next read shows the link.
    pub(super) fn shows(self) -> bool {
        !self.once_issued && self.after_reads == 0 && self.for_reads != Some(0)
    }

    fn count_read(&mut self) {
        if self.once_issued {
            return;
        }
        if self.after_reads > 0 {
            self.after_reads -= 1;
        } else if let Some(reads) = &mut self.for_reads {
            *reads = reads.saturating_sub(1);
        }
    }
}
