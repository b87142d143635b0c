package report

// catalog lists all reports. To add one, add its Spec here; its golden file is written by the test.
var catalog = []Spec{
	messagesBy("channels", "Messages by channel", ByChannel, ""),
	messagesBy("topics", "Messages by topic", ByTopic, ""),
	messagesBy("campaigns", "Messages by campaign", BySource, "campaign"),
	messagesBy("journeys", "Messages by journey", BySource, "journey"),
	messagesBy("journey-nodes", "Messages by step of a journey", ByNode, "journey"),
	scenarios,
	messagesBy("templates", "Messages by template", ByTemplate, ""),
	subjects,
	messagesBy("domains", "Messages by domain of the recipient", ByDomain, ""),
	trend,
	links,
}

// Catalog returns all reports in the order in which they are offered.
func Catalog() []Spec { return catalog }
