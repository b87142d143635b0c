// Package machines makes machines for tests out of Linux network namespaces, joined by a bridge whose cables can be pulled, and starts what
// deploy/compose.yml describes on three of them: the commands, the environment, the roles and the names that the file says, as processes.
//
//	machine 1          machine 2          machine 3          database
//	node-1, nats-1     node-2, nats-2     node-3, nats-3     postgres          each a namespace with an address of its own
//	     └──────────────────┴──── bridge ───────┴────────────────┘
//	                               │
//	                          this process: callers, the object store, whatever else a test serves
//
// A test that Apart tells is in a network of its own with all of this, so that nothing comes and goes on this machine's.
//
// It needs root and iproute2, and the programs of PostgreSQL; tests are skipped with the reason where these are missing. Not what the file says: images
// (the binary of this tree, the NATS server of go.mod, PostgreSQL of the system), the object store (one in this process that speaks S3), balancer and Prometheus.
package machines
