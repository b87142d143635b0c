package privacy

import (
	"context"
	"fmt"

	"github.com/kizuna-cx/kizuna/internal/kit/id"
)

// removeChunk is how many people are let go in one transaction.
const removeChunk = 200

// Remove lets all stores go of people who were never customers: those of sample data, or of an import that is taken back. It is no erasure: there is no request and no
// receipt, their events go whole instead of becoming nobody's, files are not written anew, and whoever comes back is somebody new. Doing it again removes
// who is left. progress is told how many are gone.
func (s *Service) Remove(ctx context.Context, ws string, people []string, progress func(done int) error) error {
	var chunks []Traces
	for from := 0; from < len(people); from += removeChunk {
		who, err := s.c.Records.Several(ctx, ws, people[from:min(from+removeChunk, len(people))])
		if err != nil {
			return err
		}
		t := Traces{Ghost: id.New("per"), Subject: who}
		for _, l := range s.c.Leavers {
			if err := l.Leave(ctx, ws, t.Subject, Forget); err != nil {
				return fmt.Errorf("leave: %w", err)
			}
		}
		chunks = append(chunks, t)
	}
	// What leaving has caused names the people, and must have arrived before they are gone.
	if err := s.c.Quiet(ctx); err != nil {
		return err
	}
	done := 0
	for _, t := range chunks {
		if err := s.c.Records.Remove(ctx, ws, t); err != nil {
			return err
		}
		if err := s.c.Events.Drop(ctx, ws, t.Nums); err != nil {
			return err
		}
		done = min(done+removeChunk, len(people))
		if err := progress(done); err != nil {
			return err
		}
	}
	return nil
}
