package event

import "context"

type hopsKey struct{}

// After returns a context in which what is emitted for these people, by id, has so many journeys behind it (Event.Hops). The pipeline tells it to
// reactors of the events they react to, and a journey to whatever carries out what it asks for: so the number travels along a chain of causes,
// whichever parts of the product the chain goes through.
func After(ctx context.Context, hops map[string]int) context.Context {
	return context.WithValue(ctx, hopsKey{}, hops)
}

// HopsOf returns how many journeys are behind what is emitted for a person now.
func HopsOf(ctx context.Context, person string) int {
	hops, _ := ctx.Value(hopsKey{}).(map[string]int)
	return hops[person]
}
