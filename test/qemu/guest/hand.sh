# QEMU has no composite device, so the kernel makes one, by configfs (Documentation/usb/gadget_configfs.rst): a stick that
# is a keyboard too. It is plugged in when the hand gives it a port.
gadget=/sys/kernel/config/usb_gadget/two-faced
mkdir "$gadget" && cd "$gadget"
echo 0x0781 > idVendor
echo 0x5567 > idProduct
mkdir -p strings/0x409 configs/c.1 functions/mass_storage.0 functions/hid.0
echo SanDisk > strings/0x409/manufacturer
echo 'Cruzer Blade' > strings/0x409/product
echo TWO-FACED-1 > strings/0x409/serialnumber
echo 1 > functions/mass_storage.0/lun.0/removable
echo 1 > functions/hid.0/protocol
echo 1 > functions/hid.0/subclass
echo 8 > functions/hid.0/report_length
# The report descriptor of a keyboard of eight modifier keys (HID 1.11, appendix B.1, shortened).
printf '\005\001\011\006\241\001\005\007\031\340\051\347\025\000\045\001\165\001\225\010\201\002\225\007\165\010\201\001\300' \
  > functions/hid.0/report_desc
ln -s functions/mass_storage.0 functions/hid.0 configs/c.1

port=$(ls /sys/class/udc)
while read -r word; do
  case $word in
    plug) echo "$port" > UDC ;;
    unplug) echo > UDC ;;
    ask) setpriv --reuid 65534 --clear-groups /opt/watchkeeper/bin/watchkeeper agent status ;;
  esac
done < /dev/ttyS1
