// Package staff is the people and programs that operate the product: who they are, what they may do, and what they did.
//
// Owns: users and their passwords, membership and roles, sessions, API keys, the audit log.
// Does not own: customers (person), workspaces (workspace), cookies and headers (httpapi).
//
//	password ──SignIn──► session token ──Authenticate────┐
//	                                                     ├─► Principal{workspace, permissions} ──Can──► operation ──Audit──► log
//	          API key ──────────────────AuthenticateKey──┘
//
// Vocabulary: a user is one human being in the whole installation; a member is a user in one workspace, with a role; a role is a
// fixed set of permissions (permission.go has the matrix); a principal is who acts in a request: a user, a key or the system itself.
//
// Invariants:
//   - Passwords are kept as argon2id hashes; of session tokens, API keys and links only the SHA-256 is kept, so reading the database
//     signs nobody in.
//   - Sign-in gives the same answer, after the same work, for a wrong password and an unknown address.
//   - Nobody grants, and nobody changes, what goes beyond their own permissions; hence only owners make and unmake owners.
//   - A workspace that has an owner keeps at least one.
//   - What changes staff writes its audit entry in the same transaction.
//
// To add a permission: a constant and its row in permission.go, then go test -update for the golden matrix.
package staff
