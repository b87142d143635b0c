// Package invoice keeps what people owe, so that reminders go out in time and stop at once when somebody has paid.
//
//	"Invoice Issued", "Invoice Payment Received", "Invoice Paid", "Invoice Voided"     (server events, or the API)
//	      │ fold, in any order
//	      ▼
//	   invoice ──next_at──► worker ──► "Invoice Overdue", "Invoice Reminder Due"      (events on the log)
//	                                      └─► journeys, segments, reports
//
// Owns: invoices, their payments, the reminder plan of a workspace. Does not own: what a reminder says and on which channel it goes;
// a journey that starts on "Invoice Reminder Due" decides that.
//
// Invariants: any order of the same events gives the same invoice; each payment counts once, by its key, as it was first reported to have
// happened; the decision that a reminder is due and the event that says so are one transaction with the invoice, so no reminder falls due
// after the payment has been stored, and none falls due twice. Events from browser keys are passed over: those keys are public.
package invoice
