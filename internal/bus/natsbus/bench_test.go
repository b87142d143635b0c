package natsbus_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/kizuna-cx/kizuna/internal/bus"
	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
)

func openBench(b *testing.B) (*natsbus.Log, *bus.Writer) {
	b.Helper()
	log := natsbus.New(natsbus.Options{Dir: b.TempDir()})
	if err := log.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	w := bus.NewWriter(log, bus.WriterOptions{})
	if err := w.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = w.Stop(context.Background())
		_ = log.Stop(context.Background())
	})
	return log, w
}

// BenchmarkWriter measures durable events of 300 bytes from many callers at once.
func BenchmarkWriter(b *testing.B) {
	for name, items := range map[string]int{"1 a call": 1, "50 a call": 50} {
		b.Run(name, func(b *testing.B) {
			_, w := openBench(b)
			one := append(bytes.Repeat([]byte("x"), 299), '\n')
			call := make([][]byte, items)
			for i := range call {
				call[i] = one
			}
			b.SetParallelism(64)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := w.Append(context.Background(), call); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.ReportMetric(float64(b.N*items)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkRead measures catching up: small records, as a quiet day leaves them, and full ones.
func BenchmarkRead(b *testing.B) {
	for name, size := range map[string]int{"1 KB records": 1 << 10, "256 KB records": 256 << 10} {
		b.Run(name, func(b *testing.B) {
			log, _ := openBench(b)
			data := bytes.Repeat([]byte("x"), size)
			for range 200 {
				if _, err := log.Append(b.Context(), data); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(200 * size))
			for b.Loop() {
				for after := uint64(0); after < 200; {
					recs, err := log.Read(b.Context(), after, 500, 0)
					if err != nil {
						b.Fatal(err)
					}
					after = recs[len(recs)-1].Seq
				}
			}
			b.ReportMetric(float64(b.N*200)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
