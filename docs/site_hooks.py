"""What MkDocs calls while it builds the site: links out of docs/ become plain names, for the site has only docs/."""
import re

OUTSIDE = re.compile(r"\[([^\]]*)\]\(\.\./([^)#]+)[^)]*\)")


def on_page_markdown(markdown, **given):
    """`[text](../file)` as text and the file's name in the repository."""
    def plain(found):
        text, path = found.groups()
        return text if text.strip("`") == path else f"{text} (`{path}`)"
    return OUTSIDE.sub(plain, markdown)
