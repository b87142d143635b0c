// Package deploy holds what deploy/ promises against the program: that every variable and flag it sets exists and is a working configuration, that what it refers to
// is there, that Kubernetes takes every field of its manifests and their parts find each other, and that nothing runs with more rights than it needs.
package deploy
