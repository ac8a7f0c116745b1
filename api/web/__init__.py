"""The pages people see: rendered here, complete without JavaScript, in zh-Hans and en."""
