package block

// Kind is one kind of block.
type Kind struct {
	Type string
	Doc  string
	New  func() body
}

// Kinds lists every kind, in the order in which an editor offers them.
func Kinds() []Kind {
	return []Kind{
		{"heading", "a headline", func() body { return &heading{} }},
		{"text", "running text with a small set of inline tags", func() body { return &text{} }},
		{"button", "a link that stands out: the one thing to do", func() body { return &button{} }},
		{"image", "a picture with its alternative text", func() body { return &image{} }},
		{"products", "cards of products: a fixed list, or those of an event or person", func() body { return &products{} }},
		{"list", "a line of text for each member of a list", func() body { return &list{} }},
		{"divider", "a thin line", func() body { return &divider{} }},
		{"spacer", "empty room", func() body { return &spacer{} }},
		{"social", "links to profiles; the brand's if it names none", func() body { return &social{} }},
		{"html", "HTML of one's own, sanitised", func() body { return &raw{} }},
		{"snippet", "blocks kept in one place for many mails", func() body { return &snippet{} }},
	}
}

func byType(name string) (Kind, bool) {
	for _, k := range Kinds() {
		if k.Type == name {
			return k, true
		}
	}
	return Kind{}, false
}

func names() []string {
	var out []string
	for _, k := range Kinds() {
		out = append(out, k.Type)
	}
	return out
}

// Fields carry their rules as tags: need (must be there), max (characters or value), min, enum, doc, and is, which says
// what a text is:
//
//	line   one line of Liquid      text   lines of Liquid       rich   Liquid with inline tags
//	url    an address in Liquid    cond   a Liquid condition    path   a variable that is a list
//	html   sanitised HTML          key    key of a snippet

type heading struct {
	Text  string `json:"text" is:"text" need:"true" max:"500"`
	Level int    `json:"level,omitempty" min:"1" max:"3" doc:"1 to 3; 1 if left out"`
}

type text struct {
	Text string `json:"text" is:"rich" need:"true" max:"20000" doc:"inline tags: p br b strong i em u s sup sub a ul ol li; an empty line begins a paragraph"`
}

type button struct {
	Label string `json:"label" is:"line" need:"true" max:"200"`
	URL   string `json:"url" is:"url" need:"true" max:"2000"`
	Look  string `json:"look,omitempty" enum:"solid,outline,link"`
	Full  bool   `json:"full,omitempty" doc:"as wide as the column"`
}

type image struct {
	Src        string `json:"src" is:"url" need:"true" max:"2000"`
	DarkSrc    string `json:"dark_src,omitempty" is:"url" max:"2000" doc:"for dark screens"`
	Alt        string `json:"alt,omitempty" is:"line" max:"500" doc:"what the picture says, for those who do not see it"`
	Decorative bool   `json:"decorative,omitempty" doc:"the picture says nothing, so it has no alternative text"`
	URL        string `json:"url,omitempty" is:"url" max:"2000" doc:"where it leads"`
	Width      int    `json:"width,omitempty" min:"1" max:"800" doc:"in pixels; the column's if left out"`
	Bleed      bool   `json:"bleed,omitempty" doc:"to the edges of a section without padding"`
	Caption    string `json:"caption,omitempty" is:"line" max:"500"`
}

type products struct {
	Each   string    `json:"each,omitempty" is:"path" max:"200" doc:"a list of the event or person, such as event.products; each member is called item"`
	Items  []product `json:"items,omitempty" doc:"or a fixed list"`
	Limit  int       `json:"limit,omitempty" min:"1" max:"20" doc:"at most so many; 6 if left out"`
	Layout string    `json:"layout,omitempty" enum:"rows,grid" doc:"pictures beside the words, or two cards beside each other"`
	Image  string    `json:"image,omitempty" is:"url" max:"2000" doc:"of each member; {{ item.image_url }} if left out"`
	Title  string    `json:"title,omitempty" is:"line" max:"500" doc:"of each member; {{ item.name }} if left out"`
	Note   string    `json:"note,omitempty" is:"line" max:"500" doc:"of each member, below the title"`
	Price  string    `json:"price,omitempty" is:"line" max:"500" doc:"of each member; {{ item.price | money: item.currency }} if left out"`
	URL    string    `json:"url,omitempty" is:"url" max:"2000" doc:"of each member; {{ item.url }} if left out"`
	Label  string    `json:"label,omitempty" is:"line" max:"200" doc:"of a link on each card"`
	Empty  string    `json:"empty,omitempty" is:"rich" max:"2000" doc:"instead, if the list is empty"`
}

type product struct {
	Image string `json:"image,omitempty" is:"url" max:"2000"`
	Alt   string `json:"alt,omitempty" is:"line" max:"500"`
	Title string `json:"title" is:"line" need:"true" max:"500"`
	Note  string `json:"note,omitempty" is:"line" max:"500"`
	Price string `json:"price,omitempty" is:"line" max:"200"`
	URL   string `json:"url,omitempty" is:"url" max:"2000"`
	Label string `json:"label,omitempty" is:"line" max:"200"`
}

type list struct {
	Each    string `json:"each" is:"path" need:"true" max:"200" doc:"such as event.items; each member is called item"`
	Text    string `json:"text" is:"line" need:"true" max:"1000" doc:"for each member, such as {{ item.name }} × {{ item.quantity }}"`
	Limit   int    `json:"limit,omitempty" min:"1" max:"100" doc:"at most so many; 20 if left out"`
	Ordered bool   `json:"ordered,omitempty"`
	Empty   string `json:"empty,omitempty" is:"line" max:"1000" doc:"instead, if the list is empty"`
}

type divider struct{}

type spacer struct {
	Height int `json:"height,omitempty" min:"4" max:"200" doc:"in pixels; 24 if left out"`
}

type social struct {
	Links []profile `json:"links,omitempty"`
}

type profile struct {
	Label string `json:"label" is:"line" need:"true" max:"100"`
	URL   string `json:"url" is:"url" need:"true" max:"2000"`
}

type raw struct {
	HTML string `json:"html" is:"html" need:"true" max:"100000" doc:"tables, text and pictures with inline styles; scripts, forms and style sheets are taken out"`
	Text string `json:"text,omitempty" is:"text" max:"20000" doc:"the same for readers of plain text; made from html if left out"`
}

type snippet struct {
	Snippet string `json:"snippet" is:"key" need:"true" max:"100"`
}
