"""The command `yinxin`."""
