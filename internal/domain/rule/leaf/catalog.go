package leaf

// Catalog lists every kind of leaf.
func Catalog() []Spec {
	return []Spec{
		Trait(),
		Event(),
		Occurrence(),
		Sequence(),
		Order(),
		Device(),
		ChannelLeaf(),
		Engagement(),
		Segment(),
		List(),
		Anniversary(),
		Bucket(),
		Everyone(),
	}
}
