// Package postfix holds the tests of channel/email against a real Postfix.
package postfix
