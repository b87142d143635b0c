package mailauth

import "strings"

// provider is a service that relays mail from addresses of its own: what SPF has to name is not the server that mail is handed to.
type provider struct {
	host    string // end of the server's name
	include string // SPF, as the provider's setup pages say
}

// providers are data, from the setup pages of each.
var providers = []provider{
	{".amazonaws.com", "amazonses.com"},
	{".sendgrid.net", "sendgrid.net"},
	{".mailgun.org", "mailgun.org"},
	{".postmarkapp.com", "spf.mtasv.net"},
	{".sparkpostmail.com", "_spf.sparkpostmail.com"},
	{".mailjet.com", "spf.mailjet.com"},
	{".brevo.com", "spf.brevo.com"},
	{".sendinblue.com", "spf.brevo.com"},
	{".mandrillapp.com", "spf.mandrillapp.com"},
	{".gmail.com", "_spf.google.com"},
	{".googlemail.com", "_spf.google.com"},
	{".office365.com", "spf.protection.outlook.com"},
	{".zoho.com", "zohomail.com"},
	{".exmail.qq.com", "spf.mail.qq.com"},
	{".aliyun.com", "spf1.dm.aliyun.com"},
	{".fastmail.com", "spf.messagingengine.com"},
}

// relayOf returns the provider that a server belongs to.
func relayOf(host string) (provider, bool) {
	host = "." + strings.TrimSuffix(strings.ToLower(host), ".")
	for _, p := range providers {
		if strings.HasSuffix(host, p.host) {
			return p, true
		}
	}
	return provider{}, false
}
