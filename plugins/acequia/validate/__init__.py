"""Room 4, is it sane?: Great Expectations judges each delivery. The only room that knows Great Expectations."""
