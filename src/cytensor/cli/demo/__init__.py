"""`cytensor demo`: train a network on digits for a minute, then draw digits in a page and see them recognised.

run.py is the command, recognizer.py what the network makes of a drawing, server.py the page's server on this machine
alone; page.html, page.css and page.js are the page, without a framework and with nothing fetched from elsewhere.
"""
