package content

import "github.com/kizuna-cx/kizuna/internal/domain/content/plain"

// Dress makes a letter of finished words: links and the open mark as in templates, the way out where there must be one, and a text for
// programs without HTML if there is none.
func Dress(r Rendered, o RenderOptions) Rendered {
	d := dressing{locale: o.Locale, link: o.LinkFunc, pixel: o.OpenPixelURL, unsubscribe: o.UnsubscribeURL, force: !o.Transactional}
	if r.Text == "" && r.HTML != "" {
		r.Text = plain.FromHTML(r.HTML)
	}
	r.Text = dressText(r.Text, d)
	if r.HTML != "" {
		r.HTML = dressHTML(r.HTML, d)
	}
	return r
}
