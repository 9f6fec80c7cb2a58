"""The words of statements in French and English; `wording` says which stand where.

In French, U+00A0 stands before : and ; inside « », and after n°.
"""

from invoices.parts import Locale

TITLES: dict[Locale, dict[str, str]] = {
    "fr": {
        "refund": "Relevé de remboursement",
        "credit": "Relevé de crédit",
        "account_credit": "Relevé de crédit du compte",
        "cancelled_refund": "Annulation d’un relevé de remboursement",
        "cancelled_credit": "Annulation d’un relevé de crédit",
        "cancelled_account_credit": "Annulation d’un relevé de crédit du compte",
    },
    "en": {
        "refund": "Refund statement",
        "credit": "Credit statement",
        "account_credit": "Account credit statement",
        "cancelled_refund": "Cancellation of a refund statement",
        "cancelled_credit": "Cancellation of a credit statement",
        "cancelled_account_credit": "Cancellation of an account credit statement",
    },
}

# By the law of the seller's country, as `wording` names it; where it has no name there is none.
TAX_DOCUMENTS: dict[Locale, dict[str, str]] = {
    "fr": {
        "avoir": "Avoir",
        "note": "Note de crédit",
        "cancelled_avoir": "Annulation d’avoir",
        "cancelled_note": "Annulation de note de crédit",
    },
    "en": {
        "avoir": "Credit note (avoir)",
        "note": "Credit note",
        "cancelled_avoir": "Cancellation of a credit note (avoir)",
        "cancelled_note": "Cancellation of a credit note",
    },
}

LABELS: dict[Locale, dict[str, str]] = {
    "fr": {
        "number": "Numéro",
        "issued_on": "Date d’émission",
        "customer": "Client",
        "account": "Compte de l’organisation",
        "organisation": "Organisation rejointe",
        "individual": "Crédit apporté par",
        "available_from": "Disponible à partir du",
        "tax_id": "N° fiscal",
        "vat_id": "N° TVA",
        "derivation": "Comment ce montant est calculé",
        "period": "Période de facturation",
        "trial": "Essai",
        "accepted_on": "Jour de l’acceptation",
        "unused_days": "Jours non utilisés",
        "paid": "Payé pour la période",
        "returned": "Déjà rendu",
        "used": "Part utilisée",
        "unused": "Part des jours non utilisés",
        "details": "Abonnement non utilisé, paiement par paiement",
        "corrects": "Document corrigé",
        "line_paid": "Payé",
        "rate": "Taux",
        "net": "HT",
        "gross": "TTC",
        "total_net": "Total hors taxes",
        "total_refund": "Total remboursé",
        "total_credit": "Total crédité",
        "total_account_credit": "Crédit du compte",
        "total_cancelled": "Total annulé",
        "destination": "Destination",
    },
    "en": {
        "number": "Number",
        "issued_on": "Issued on",
        "customer": "Customer",
        "account": "Organisation’s account",
        "organisation": "Organisation joined",
        "individual": "Credit brought by",
        "available_from": "Available from",
        "tax_id": "Tax id",
        "vat_id": "VAT id",
        "derivation": "How this amount came about",
        "period": "Billing period",
        "trial": "Trial",
        "accepted_on": "Day of acceptance",
        "unused_days": "Unused days",
        "paid": "Paid for the period",
        "returned": "Already returned",
        "used": "Used part",
        "unused": "Part of the unused days",
        "details": "Unused subscription, payment by payment",
        "corrects": "Document corrected",
        "line_paid": "Paid",
        "rate": "Tax rate",
        "net": "Net",
        "gross": "Gross",
        "total_net": "Total before tax",
        "total_refund": "Total refunded",
        "total_credit": "Total credited",
        "total_account_credit": "Account credit",
        "total_cancelled": "Total cancelled",
        "destination": "Where it goes",
    },
}

SENTENCES: dict[Locale, dict[str, str]] = {
    "fr": {
        "invoice": "facture n°\u00a0{number}",
        "invoice_dated": "facture n°\u00a0{number} du {day}",
        "payment": "paiement {number}",
        "payment_dated": "paiement {number} du {day}",
        "avoir_on_invoice": "Avoir sur la {document}",
        "avoir_on_payment": "Avoir sur le {document}",
        "avoir_on_many": "Avoir sur les documents cités ci-dessous, paiement par paiement",
        "note_on_invoice": "Note de crédit sur la {document}",
        "note_on_payment": "Note de crédit sur le {document}",
        "note_on_many": "Note de crédit sur les documents cités ci-dessous, paiement par paiement",
        "corrects_invoice": "Corrige la {document}",
        "corrects_payment": "Corrige le {document}",
        "corrects_many": "Corrige les documents cités ci-dessous, paiement par paiement",
        "cancels_avoir": "Annule l’avoir n°\u00a0{number} du {day}",
        "cancels_note": "Annule la note de crédit n°\u00a0{number} du {day}",
        "cancels": "Annule le relevé n°\u00a0{number} du {day}",
        "cancelled": "L’acceptation a été annulée\u00a0: le montant ci-dessous n’est plus dû.",
        "cancelled_account": (
            "L’acceptation a été annulée\u00a0: le crédit ci-dessous est retiré du compte."
        ),
        "not_a_tax_document": "Ce document n’est pas un document fiscal.",
        "to_invoices": (
            "Une fois disponible, ce crédit règle les factures de votre organisation dans la même"
            " devise."
        ),
        "period": "du {first} au {last} inclus",
        "trial": "du {first} au {last} inclus, jours non comptés",
        "days": "{unused} sur {days}, le jour de l’acceptation compris",
        "original_method": "le mode de paiement d’origine",
        "goes_by_hand": "Remboursement de {amount} par virement bancaire",
        "goes_back": "Remboursement de {amount} sur {method}",
        "goes_to": "Crédit de {amount} à l’organisation {organisation}",
        "refund_held": (
            "L’acceptation peut être annulée jusqu’au {moment}\u00a0; le remboursement part"
            " ensuite."
        ),
        "credit_held": (
            "L’acceptation peut être annulée jusqu’au {moment}\u00a0; le crédit est disponible"
            " ensuite."
        ),
        "tax_on": "{tax} sur {net}",
        "no_vat": "TVA non applicable, art. 293 B du CGI",
        "reverse_charge": (
            "Autoliquidation\u00a0: TVA due par le preneur (art. 196 de la directive 2006/112/CE)"
        ),
    },
    "en": {
        "invoice": "invoice no. {number}",
        "invoice_dated": "invoice no. {number} of {day}",
        "payment": "payment {number}",
        "payment_dated": "payment {number} of {day}",
        "avoir_on_invoice": "Credit note (avoir) for {document}",
        "avoir_on_payment": "Credit note (avoir) for {document}",
        "avoir_on_many": "Credit note (avoir) for the documents listed below, payment by payment",
        "note_on_invoice": "Credit note for {document}",
        "note_on_payment": "Credit note for {document}",
        "note_on_many": "Credit note for the documents listed below, payment by payment",
        "corrects_invoice": "Corrects {document}",
        "corrects_payment": "Corrects {document}",
        "corrects_many": "Corrects the documents listed below, payment by payment",
        "cancels_avoir": "Cancels credit note (avoir) no. {number} of {day}",
        "cancels_note": "Cancels credit note no. {number} of {day}",
        "cancels": "Cancels statement no. {number} of {day}",
        "cancelled": "The acceptance was undone: the amount below is no longer due.",
        "cancelled_account": (
            "The acceptance was undone: the credit below is taken off the account."
        ),
        "not_a_tax_document": "This document is not a tax document.",
        "to_invoices": (
            "Once available, this credit pays your organisation’s invoices in the same currency."
        ),
        "period": "from {first} to {last} inclusive",
        "trial": "from {first} to {last} inclusive, days not counted",
        "days": "{unused} of {days}, the day of acceptance included",
        "original_method": "the original payment method",
        "goes_by_hand": "Refund of {amount} by bank transfer",
        "goes_back": "Refund of {amount} to {method}",
        "goes_to": "Credit of {amount} to the organisation {organisation}",
        "refund_held": (
            "The acceptance can be undone until {moment}; the refund is sent after that."
        ),
        "credit_held": (
            "The acceptance can be undone until {moment}; the credit is available after that."
        ),
        "tax_on": "{tax} on {net}",
        "no_vat": "VAT not applicable (TVA non applicable, art. 293 B du CGI)",
        "reverse_charge": (
            "Reverse charge: VAT is due by the customer (art. 196 of Directive 2006/112/EC)"
        ),
    },
}
