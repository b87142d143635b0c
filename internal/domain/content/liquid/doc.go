// Package liquid is the template language of messages: a subset of Liquid, compiled once and rendered many times.
//
//	{{ person.first_name | default: "friend" }}      output, with filters
//	{% if a == 1 and b contains "x" %} {% elsif c %} {% else %} {% endif %}, {% unless %}
//	{% case x %} {% when 1, 2 %} {% else %} {% endcase %}
//	{% for i in list limit:3 offset:1 reversed %} {{ forloop.index }} {% break %} {% continue %} {% else %} {% endfor %}
//	{% assign x = a | upcase %}, {% capture x %} {% endcapture %}
//	{% comment %} {% endcomment %}, {% # remark %}, {% raw %} {% endraw %}, {{- whitespace control -}}
//
// Owns: the grammar, escaping, filters, the rules by which dates, amounts and names are written in English,
// Chinese and Japanese, the limits that keep a template from running away.
// Does not own: where templates are kept, which variables exist, what mail looks like (content).
//
//	source ──Parse──► Template ──Append(vars, Env)──► bytes + Problems
//	                     └──────Check(known)────────► unknown variables, with line and column
//
// Escaping. A template in HTML mode is read as HTML while it is parsed, so that every output knows where it stands:
// text and attribute values are escaped, the start of a URL is held to harmless schemes, style values are filtered,
// and an output where no escaping could help (a script, a tag's name) does not parse. Only Trusted values pass
// unescaped, and only in text. Text mode escapes nothing; Subject mode makes one line of everything.
//
// Where this differs from Shopify's Liquid, on purpose: output is escaped; text is counted in user-perceived
// characters; strings are never Ruby objects; division by zero and the like give an empty value and a Problem
// instead of a message in the customer's mail; times of day follow the person's zone.
//
// Invariants: rendering is pure (the same Template, variables and Env give the same bytes: no clock, maps are walked
// in key order); it never panics and never exceeds its Limits, whatever the template and the data; a Template is
// immutable and safe for concurrent use.
//
// To add a filter: write a function of type filterFunc and list it in filters.
package liquid
