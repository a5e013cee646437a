"""The page that every report is written into."""
