"""The records by which a domain says who may send mail for it: SPF, DKIM, DMARC."""
