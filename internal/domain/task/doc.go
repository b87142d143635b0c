// Package task keeps what a person of staff is asked to do for a customer: call back, check an order, say thank you by hand.
//
// Owns: tasks, who is to do them, how they ended. Does not own: who may see them (staff), what follows from them; "Task Created", "Task Completed" and
// "Task Cancelled" are events on the log, so a journey or a segment can ask for them.
//
// Invariants: a task is made once for a key; it ends once; the change and the event that tells of it are one transaction.
package task
