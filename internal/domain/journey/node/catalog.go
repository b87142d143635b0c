package node

// Catalog lists every kind of node, in the order in which an editor offers them.
func Catalog() []Spec {
	return []Spec{
		Wait, WaitUntil, WaitForDate, WaitFor, Branch, Switch, Split, ABTest, Cohort, SendMessage, SetTrait,
		AddToList, RemoveFromList, CreateTask, Webhook, EnterJourney, LeaveJourney, GoalNode, Exit,
	}
}

// ByKind returns the kind's Spec.
func ByKind(kind string) (Spec, bool) {
	for _, s := range Catalog() {
		if s.Kind == kind {
			return s, true
		}
	}
	return Spec{}, false
}
