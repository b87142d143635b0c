package leaf

// Catalog lists every kind of leaf.
func Catalog() []Spec {
	return []Spec{
		Trait(),
		Event(),
		Order(),
		Device(),
		ChannelLeaf(),
		Engagement(),
		Segment(),
		List(),
		Bucket(),
		Everyone(),
	}
}
